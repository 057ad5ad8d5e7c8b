"""Pages kept on disk as they come, so that a column's type may change without another request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import cast

import msgspec

from timetracking_assets.ingest.pages.page import Page

_IN_MEMORY = 4 * 1024 * 1024
"""Bytes that stay in memory: most answers have fewer."""

_read_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode


class PageSpool:
    """The pages of one answer: each is requested once, and read as often as need be.

    An iteration gives the pages that have come so far, then those that are still to come. Only one
    runs at a time; who gives one up early begins another. `directory` is removed with the load.
    """

    def __init__(self, pages: Iterator[Page], directory: Path) -> None:
        self._pages = pages
        self._file = SpooledTemporaryFile(_IN_MEMORY, dir=str(directory))  # noqa: SIM115
        self._kept: list[tuple[Page, int, int]] = []

    def __iter__(self) -> Iterator[Page]:
        for page, start, size in list(self._kept):
            self._file.seek(start)
            yield replace(page, rows=_read_rows(self._file.read(size)))
        for page in self._pages:
            self.keep(page)
            yield page

    def restart(self, pages: Iterator[Page]) -> None:
        """Forget the pages, for those of another reading."""
        self._pages, self._kept = pages, []
        self._file.seek(0)
        self._file.truncate()

    def close(self) -> None:
        """Forget the pages."""
        self._file.close()

    def keep(self, page: Page) -> None:
        """Add a page to those that have come."""
        self._file.seek(0, 2)
        start = self._file.tell()
        rows = cast(list[bytes], page.rows)
        size = self._file.write(b"[" + b",".join(rows) + b"]")
        # what paginators have read would grow with the number of pages
        self._kept.append((replace(page, rows=[], envelope=None), start, size))
