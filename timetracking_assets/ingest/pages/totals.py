"""How many rows an API says that there are: read here, compared by the check `rows_reconciled`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from timetracking_assets.errors import AnswerError
from timetracking_assets.spec.model import TotalSpec

HEADERS = "headers"
"""Where an envelope holds the response's headers, by lower-case name."""


class StatedTotals:
    """The totals of the lists that one load asks for, a list being one series of pages."""

    def __init__(self, spec: TotalSpec | None) -> None:
        self._spec = spec
        self._lists: list[int | None] = []

    def note(self, envelope: Mapping[str, Any], where: str) -> None:
        """Read the total of a list's last page: rows may come and go while it is read.

        `where` begins an error. Raises AnswerError where the total is not a number. A page may
        state none: then none is known.
        """
        if self._spec is None:
            return
        value: Any
        if self._spec.header:
            place = f"header {self._spec.header}"
            value = envelope[HEADERS].get(self._spec.header.lower())
        else:
            place = f"`{self._spec.path}`"
            value = envelope
            for name in str(self._spec.path).split("."):
                value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            self._lists.append(None)
            return
        text = str(value).strip()
        if isinstance(value, bool) or not text.isdecimal():
            raise AnswerError(
                f"{where} has no number at {place}, where `total` expects one, but {text[:40]!r}"
            )
        self._lists.append(int(text))

    @property
    def rows(self) -> int | None:
        """The sum over all lists; None if one of them has no stated total."""
        known = [total for total in self._lists if total is not None]
        return sum(known) if known and len(known) == len(self._lists) else None
