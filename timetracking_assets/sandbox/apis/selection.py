"""Which rows an answer holds: filters by field, by window, by page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request

from timetracking_assets.sandbox.apis.parameters import instant_of, whole_number
from timetracking_assets.sandbox.dataset import Row


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and its place in it."""

    rows: Sequence[Row]
    number: int
    size: int
    total: int

    @property
    def count(self) -> int:
        """How many pages the list has: at least one, also when it is empty."""
        return max(1, -(-self.total // self.size))


def numbered_page(
    request: Request, rows: Sequence[Row], *, size_name: str, default: int, most: int
) -> Page:
    """The page that `page` (from 1) and the size parameter ask for; empty past the end."""
    number = whole_number(request, "page", default=1, least=1)
    size = whole_number(request, size_name, default=default, least=1, most=most)
    first = (number - 1) * size
    return Page(rows[first : first + size], number, size, len(rows))


def with_field(rows: Sequence[Row], name: str, value: object) -> list[Row]:
    """The rows whose field has that value."""
    return [row for row in rows if row.get(name) == value]


def in_window(
    rows: Sequence[Row], field: Callable[[Row], Any], since: datetime | None, until: datetime | None
) -> Sequence[Row]:
    """The rows whose instant lies in [since, until); None leaves that side open.

    With a bound, a row whose field holds no instant is left out.
    """
    if since is None and until is None:
        return rows
    return [row for row in rows if _inside(instant_of(field(row)), since, until)]


def _inside(instant: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if instant is None:
        return False
    return (since is None or instant >= since) and (until is None or instant < until)
