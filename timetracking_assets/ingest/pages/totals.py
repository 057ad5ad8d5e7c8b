"""What an API states about the length of its lists, compared with what was received.

Each statement is compared in the unit in which it is made. That the table holds what was received
is checked by `rows_reconciled`, which fails on a difference here, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Literal

from timetracking_assets.errors import ShiftedListError
from timetracking_assets.ingest.pages.statements import total_of
from timetracking_assets.spec.api import column_name

if TYPE_CHECKING:
    from timetracking_assets.ingest.pages.list_end import ListProgress, RangeEnd
    from timetracking_assets.ingest.pages.page import Envelope
    from timetracking_assets.spec.api import Resource

Stability = Literal["one page", "stated", "changed", "unknown"]
"""Whether a list can have shifted while it was read: not if each came on one page, or if what the
API states was the same on the first page and the last; it did if that changed."""

_MOST_DIFFERENCES = 3
_UNITS = {"rows": "rows", "pages": "pages", "remaining": "rows that remain"}


@dataclass(frozen=True)
class ListRead:
    """A list that was read to its end: its first and last page, and what was counted.

    `where` is the last page in messages, `end` what dlt's paginator looked at, where it counts.
    """

    first: Envelope
    last: Envelope
    where: str
    progress: ListProgress
    end: RangeEnd | None


class StatedTotals:
    """The totals of the lists that one load requests, a list being one series of pages."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._lock = Lock()
        self._lists = 0
        self._paged = False
        self._unsteady = False
        self._rows: list[int | None] = []
        self._differences: list[str] = []
        self._unstated = False
        self.changed: str | None = None
        """How a statement changed from a list's first page to its last; None if none did."""

    def note(self, read: ListRead) -> None:
        """Compare a list with what its last page states: rows may come and go while it is read.

        Raises AnswerError where a total is not a number, ShiftedListError where the list lost rows
        meanwhile and the load removes what it does not hold. A page may state none.
        """
        self._lists += 1
        paged = read.progress.pages > 1
        self._paged |= paged
        if self._resource.max_rows_per_answer:
            # an answer that was cut off states nothing of the list
            self._unsteady |= paged
            return
        spec = self._resource.total
        unit: str
        if spec is not None:
            unit = spec.unit
            stated = total_of(spec, read.last.json(), read.where)
            before = total_of(spec, read.first.json(), read.where)
        elif read.end is not None and read.end.covers_all:
            unit = read.end.unit
            stated = read.end.total(read.last.json(), read.where)
            before = read.end.total(read.first.json(), read.where)
        else:
            unit, stated, before = "rows", None, None
        self._unstated |= stated is None
        # a page may lose a row without being one page less
        self._unsteady |= paged and (unit != "rows" or stated is None or stated != before)
        if read.progress.unfulfilled and stated != read.progress.rows:
            self._differences.append(read.progress.unfulfilled)
        if unit != "remaining" and stated is not None and before not in (stated, None):
            self.changed = self.changed or (
                f"{read.where}: the API stated {before} {_UNITS[unit]} on the first page and "
                f"{stated} on the last"
            )
            self._refuse_shrunk(stated, before or 0, unit, read)
        if unit == "rows":
            self._rows.append(stated)
        if stated is not None and (spec is None or unit != "rows"):
            self._compare(stated, unit, read)

    def _refuse_shrunk(self, stated: int, before: int, unit: str, read: ListRead) -> None:
        """Raise ShiftedListError for a list that lost rows while its pages were read.

        A row that moved to a page already read is in none of them: the load would remove it.
        """
        progress = read.progress
        received = progress.rows if unit == "rows" else progress.pages
        removes = self._resource.sync_mode != "changes"
        if removes and progress.pages > 1 and stated < before and received <= before:
            raise ShiftedListError(
                f"{self.changed}. A row that is removed meanwhile can hide another one on a page "
                "already read, which the load would then remove: load again.",
                transient=True,
            )

    def _compare(self, stated: int, unit: str, read: ListRead) -> None:
        progress = read.progress
        if unit == "rows":
            right, received = stated == progress.rows, f"its pages held {progress.rows}"
        elif unit == "pages":
            # an empty list may be one page or none, and a total of rows does to count pages by
            right = stated in (progress.pages, progress.pages_with_rows, progress.rows)
            received = f"{progress.pages_with_rows} held rows"
        else:
            right, received = stated == 0, "no page came after that"
        if not right:
            self._differences.append(
                f"{read.where}: the API states {stated} {_UNITS[unit]}; {received}."
            )

    @property
    def rows(self) -> int | None:
        """The rows that the API states, of all lists; None where one of them has no stated total.

        Without a `total` in the file, it is what the paginator of a single list looks at.
        """
        known = [total for total in self._rows if total is not None]
        if not known or len(known) < self._lists:
            return None
        return sum(known) if self._resource.total or self._lists == 1 else None

    @property
    def differences(self) -> list[str]:
        """What is not as stated, a sentence each; the first few of many."""
        more = len(self._differences) - _MOST_DIFFERENCES
        shown = self._differences[:_MOST_DIFFERENCES]
        return [*shown, f"So it is in {more} more lists."] if more > 0 else shown

    @property
    def is_one_page(self) -> bool:
        """Whether all rows came in one response, and so are those of one instant."""
        return self._lists <= 1 and not self._paged

    @property
    def may_hide_rows(self) -> bool:
        """Whether a row may have been on no page, though the API held it all the time.

        A row that goes from a page already read lets the ones after it move up; one that changes
        may move to another list, of several that make up the answer. A total of rows that is the
        same on the first page and the last one excludes the first.
        """
        return self._unsteady or (self._lists > 1 and not self._keeps_lists)

    @property
    def _keeps_lists(self) -> bool:
        """Whether a row can't move from one list to another: its key is of its parent's row."""
        resource = self._resource
        if resource.parent is None or resource.window is not None:
            return False
        of_parent = {column_name(f"_{resource.parent.name}_{f}") for f in resource.parent.fields}
        return bool(of_parent & set(resource.primary_key))

    @property
    def stability(self) -> Stability:
        """What is known of shifts while the lists were read."""
        if not self._paged:
            return "one page"
        if self.changed:
            return "changed"
        return "unknown" if self._unstated else "stated"
