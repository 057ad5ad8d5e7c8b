"""Whether rows that an answer does not hold are gone: its lists are read again before any goes.

An answer of several responses is not of one instant: a row that moves meanwhile, to a page or list
already read, is in none of them. Where that can't be excluded, a row is removed only if a whole
second reading has none of those that were missing either. What a total excludes is decided in
`pages/totals.py`, how rows are removed in `merge.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.columns.page_typer import PageTyper, WidenedError
from timetracking_assets.ingest.connection import ParentRows
from timetracking_assets.ingest.load.answer import own_rows, requested_pages
from timetracking_assets.ingest.load.changes import StagedAnswer
from timetracking_assets.ingest.load.parents import requested_parent_rows
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.restore import StoredTable
from timetracking_assets.ingest.load.spool import PageSpool
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.ingest.pages.totals import StatedTotals
from timetracking_assets.spec.base import DataType

Key = tuple[Any, ...]

MOST_READINGS = 3
"""How often the lists are read again, where each reading shows that they shift."""


class UnconfirmedError(Exception):
    """The load would remove the rows with `keys`, which may only have been hidden."""

    def __init__(self, keys: frozenset[Key]) -> None:
        super().__init__()
        self.keys = keys


class Removal:
    """What is known of the rows that one answer would remove.

    `parent_rows` are those of a fan-out; None where the API is asked for them, which is done again
    with each reading.
    """

    def __init__(
        self,
        request: LoadRequest,
        report: LoadReport,
        spool: PageSpool,
        parent_rows: ParentRows | None,
    ) -> None:
        self._request, self._report = request, report
        self._spool, self._parent_rows = spool, parent_rows
        self._gone: set[Key] = set()
        self._agreed = False
        self._readings = 0
        self.is_refused = False
        """Whether no row may be removed because the answer does not hold it."""

    @property
    def _asks_for_parents(self) -> bool:
        return self._request.resource.parent is not None and self._parent_rows is None

    def refuse_unconfirmed(self, staged: StagedAnswer) -> None:
        """Raise UnconfirmedError where the load would remove rows that may only be hidden."""
        if self.is_refused or self._agreed or not self._may_hide_rows(staged):
            return
        unconfirmed = staged.missing_keys - self._gone
        if unconfirmed:
            raise UnconfirmedError(unconfirmed)

    def _may_hide_rows(self, staged: StagedAnswer) -> bool:
        resource, totals = self._request.resource, self._report.totals
        policy = resource.confirm_removal
        if resource.sync_mode == "changes" or policy == "never":
            return False
        if self._asks_for_parents:
            # one that its list hides hides all its rows
            return True
        if totals.is_one_page:
            return False
        if policy == "always" or totals.may_hide_rows:
            return True
        # rows that only change their places leave the total as it is
        received = staged.living_keys + self._report.rows_outside_window
        return totals.rows is not None and received < totals.rows

    def adds_rows(
        self, keys: frozenset[Key], table: StoredTable, types: Mapping[str, DataType]
    ) -> bool:
        """Read the lists again; whether the answer now holds rows with `keys` that it had missed.

        If not, all of them may go. Where the last reading has such rows, too, removal is refused.
        """
        request, report = self._request, self._report
        if self._readings >= MOST_READINGS:
            self.is_refused = True
            report.rows_kept = len(keys)
            return False
        self._readings += 1
        if request.log:
            request.log(
                f"{request.resource.label}: {len(keys)} rows of the table are not in the answer; "
                "requesting its lists again before they are removed"
            )
        before = report.requests.requests
        try:
            if not request.resource.primary_key:
                return not self._is_the_same_again()
            missed = self._missed(keys, table, types)
        finally:
            report.confirmation_requests += report.requests.requests - before
        report.rows_missed += missed
        if not missed:
            self._gone |= keys
        return bool(missed)

    def _missed(
        self, keys: frozenset[Key], table: StoredTable, types: Mapping[str, DataType]
    ) -> int:
        """Add the rows with `keys` to the answer, as far as the lists hold them now."""
        missed: set[Key] = set()
        with closing(self._pages(StatedTotals(self._request.resource))) as pages:
            for page, row_keys in self._with_keys(pages, table, types):
                rows = []
                for row, key in zip(page.rows, row_keys, strict=True):
                    if key in keys and key not in missed:
                        missed.add(key)
                        rows.append(row)
                if rows:
                    self._spool.keep(replace(page, rows=rows))
                if len(missed) == len(keys):
                    break
        return len(missed)

    def _with_keys(
        self, pages: Iterator[Page], table: StoredTable, types: Mapping[str, DataType]
    ) -> Iterator[tuple[Page, list[Key | None]]]:
        """Pages, with the key of each row that would be loaded from them."""
        resource, window = table.resource, self._request.window
        known = dict(table.known)
        typer = PageTyper(resource, known, types, table.fields, table.guessed)
        for page in pages:
            rows = None
            while rows is None:
                try:
                    rows = typer(page)
                except WidenedError as widened:
                    name, kind = widened.column, widened.data_type
                    if name in resource.primary_key or known.get(name) == kind:
                        raise AnswerError(
                            f"{resource.label}: values of `{name}` were {kind} when its lists were "
                            "read again, before rows that they do not hold are removed. Nothing "
                            "was changed: load again.",
                            transient=True,
                        ) from None
                    known[name] = kind
                    typer = PageTyper(resource, known, types, table.fields, table.guessed)
            own = own_rows(rows, resource, window, page.window).to_pylist()
            columns = (rows[name].to_pylist() for name in resource.primary_key)
            keys = zip(*columns, strict=True)
            yield page, [key if mine else None for key, mine in zip(keys, own, strict=True)]

    def _pages(self, totals: StatedTotals) -> Any:
        request, parent_rows = self._request, self._parent_rows
        if self._asks_for_parents:
            stats = self._report.requests
            parent_rows = requested_parent_rows(request.connection, request.resource, stats)
        return requested_pages(request, parent_rows, self._report, totals)

    def _is_the_same_again(self) -> bool:
        """Whether the answer is the same when it is read again, for rows without a key.

        If not, the latest reading replaces it, once two have the same rows. Raises AnswerError
        where no two have.
        """
        report = self._report
        before = self._digest()
        for reading in range(MOST_READINGS):
            report.begin_answer()
            self._spool.restart(self._pages(report.totals))
            after = self._digest()
            if after == before:
                self._agreed = True
                return reading == 0
            before = after
        raise AnswerError(
            f"{self._request.resource.label}: its list was another one each of "
            f"{MOST_READINGS + 1} times that it was read, and without a key no row of it can be "
            "told from another. Nothing was changed: load again, or declare a `primary_key`.",
            transient=True,
        )

    def _digest(self) -> tuple[int, int]:
        """What is the same for pages of the same rows, in any order."""
        hashes = [hash(bytes(row)) for page in self._spool for row in page.rows]
        return len(hashes), sum(hashes)
