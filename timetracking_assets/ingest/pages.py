"""Pages: rows that stay bytes, and the names of what a paginator finds beside them.

dlt's `rest_api` sees a page as a list with one opaque `Page` (or an empty list), so that it can
paginate and fan out without touching a row. How a body becomes a page is in `page_splitter.py`,
what a row's bytes mean in `columnar.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from timetracking_assets.ingest.windows import Window

if TYPE_CHECKING:
    from msgspec import Raw

ROWS = "__rows"
"""Where dlt finds the page in a split answer: the `data_selector` that it is given."""

HAS_MORE = "__has_more"
"""Where dlt finds whether the page was full: the `has_more_path` where the page size is known."""

HEADERS = "headers"
"""Where a paginator finds the response's headers, by lower-case name."""

PARENT_ROW = "__row"
"""Field of a parent's row that holds its index, where a page must tell it."""


@dataclass
class Page:
    """The rows of one answer, still JSON, and what a fan-out adds to each of them.

    `parent_row` is the index of the parent's row that it was asked for with, `window` the window
    that its series of requests was for (None without one): a year, say, of several.
    """

    number: int
    url: str
    rows: list[Raw]
    from_parent: dict[str, Any] = field(default_factory=dict)
    parent_row: int = 0
    window: Window | None = None

    def update(self, parent_record: Mapping[str, Any]) -> None:
        """Called by dlt's fan-out, as on a row, with the values of `include_from_parent`."""
        for name, value in parent_record.items():
            if name.endswith(PARENT_ROW):
                self.parent_row = value
            else:
                self.from_parent[name] = value

    def of(self, window: Window | None, parent_row: int = 0) -> Page:
        """The page, knowing what it was asked for with."""
        self.window, self.parent_row = window, parent_row
        return self
