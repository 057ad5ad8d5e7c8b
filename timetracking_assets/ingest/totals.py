"""The totals that an API states of its lists, so that a table can be compared with them.

Only reading them belongs here; the comparison is the check `rows_reconciled`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from timetracking_assets.ingest.errors import AnswerError
from timetracking_assets.ingest.spec import TotalSpec


class StatedTotals:
    """The totals of the lists that one load asks for, a list being one series of pages.

    Where pages of one list differ, the last one counts: rows may come and go while it is read.
    """

    def __init__(self, spec: TotalSpec | None) -> None:
        self._spec = spec
        self._by_list: dict[Hashable, int | None] = {}

    def note(
        self,
        series: Hashable,
        envelope: Mapping[str, Any],
        headers: Mapping[str, str],
        where: str,
    ) -> None:
        """Read the total of a page; `headers` go by lower-case names, `where` begins an error.

        Raises AnswerError where it is not a number. A page may state none: then none is known.
        """
        if self._spec is None:
            return
        value: Any
        if self._spec.header:
            place, value = f"header {self._spec.header}", headers.get(self._spec.header.lower())
        else:
            place = f"`{self._spec.path}`"
            value = envelope
            for name in str(self._spec.path).split("."):
                value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            self._by_list.setdefault(series, None)
            return
        text = str(value).strip()
        if isinstance(value, bool) or not text.isdecimal():
            raise AnswerError(
                f"{where} has no number at {place}, where `total` expects one, but {text[:40]!r}"
            )
        self._by_list[series] = int(text)

    @property
    def rows(self) -> int | None:
        """The sum over all lists; None if one of them has no stated total."""
        totals = list(self._by_list.values())
        known = [total for total in totals if total is not None]
        return sum(known) if totals and len(known) == len(totals) else None
