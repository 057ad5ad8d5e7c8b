"""Whether a list goes on after a page, from what the page holds and what the API states.

Rows decide where statements contradict them: a page shorter than requested is the last one only
where the API is known to give longer ones, and a total that the first page already reaches is
confirmed by the page after it. How the next page is requested is dlt's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Any

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.pages.page import Envelope, Page
from timetracking_assets.ingest.pages.statements import (
    at_path,
    described,
    is_nothing,
    number,
    total_of,
    yes_or_no,
)
from timetracking_assets.spec.api import Resource

_MOST_EMPTY = 3
"""Empty pages in a row after which no statement of more pages is believed."""

_ENOUGH = 3
"""Lists that really ended after a short page of some length, until one more is believed."""


class PageSizes:
    """How many rows the API gives in a page of one resource, learned from all its lists."""

    def __init__(self) -> None:
        self._longest, self._ended, self._lock = 0, Counter[int](), Lock()

    def received(self, rows: int) -> None:
        """Note the length of a page."""
        with self._lock:
            self._longest = max(self._longest, rows)

    def ended(self, rows: int) -> None:
        """Note that nothing came after a page of that length."""
        with self._lock:
            self._ended[rows] += 1

    def is_last(self, rows: int, requested: int) -> bool:
        """Whether a page of `rows`, where `requested` were requested, must be a list's last.

        An API may give fewer than requested in each page: a short one is the last only where a
        longer one was given before.
        """
        if rows >= requested:
            return False
        with self._lock:
            return rows < self._longest or self._ended[rows] >= _ENOUGH


class ListProgress:
    """What is known of one list while it is read, perhaps in parts by several threads."""

    def __init__(self) -> None:
        self.pages = self.pages_with_rows = self.rows = 0
        self.short_pages = 0
        """Pages with rows that were shorter than requested."""
        self.unfulfilled: str | None = None
        """A statement that there are more pages, though none came."""
        self._seen: dict[int, object] = {}
        self._lock = Lock()

    def is_new(self, digest: int) -> bool:
        """Remember the digest of a page's rows; whether no page had it before."""
        mine = object()
        return self._seen.setdefault(digest, mine) is mine

    def received(self, rows: int, requested: int | None) -> None:
        """Count a page."""
        with self._lock:
            self.pages += 1
            self.pages_with_rows += bool(rows)
            self.rows += rows
            self.short_pages += bool(requested and 0 < rows < requested)


class RangeEnd:
    """The end of a list whose pages are counted, by page or by row.

    `settings` are those of dlt's paginator `page_number` or `offset`.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        resource: Resource,
        progress: ListProgress,
        sizes: PageSizes,
    ) -> None:
        self._resource, self._progress, self._sizes = resource, progress, sizes
        self._by_rows = settings["type"] == "offset"
        self._total_path = settings.get("total_path", "total")
        self._has_more_path = settings.get("has_more_path")
        self._base = 0 if self._by_rows else settings.get("base_page") or 0
        self.unit = "rows" if self._by_rows else "pages"
        limits = {"maximum_offset", "maximum_page", "offset", "page"}
        self.covers_all = not limits & set(resource.endpoint["paginator"])
        """Whether the file has the whole list requested, from its first page to its last."""
        # a limit alone is no promise that the API keeps to it
        limit = settings.get("limit") if self._by_rows else None
        self.requested: int | None = resource.page_size or limit
        self._empty = 0
        self._previous = 0
        self._distrusts = False
        self.doubts = False
        """Whether a page is requested only to see that there is nothing."""
        self.promised = False
        """Whether the API states that there is another page."""

    def goes_on(self, page: Page, following: int, where: str) -> bool:
        """Whether there is a page after `page`; `following` is its number or offset."""
        rows = len(page.rows)
        self._empty = 0 if rows else self._empty + 1
        doubted, self.doubts = self.doubts, False
        if doubted and not rows:
            self._sizes.ended(self._previous)
        if doubted and rows:
            self._distrusts = True
        envelope = page.envelope.json() if page.envelope else {}
        more = self._stated(envelope, following, where)
        self.promised = bool(more)
        ends_here = self._resource.page_size is not None and self._sizes.is_last(
            rows, self._resource.page_size
        )
        self._sizes.received(rows)
        self._previous = rows
        if more and self._empty < _MOST_EMPTY:
            return True
        if not rows:
            if more:
                self._progress.unfulfilled = (
                    f"{where}: the API states that there are more pages, but {self._empty} in a "
                    "row were empty"
                )
            return False
        if more is False:
            self.doubts = self._doubts_end(rows, following)
            return self.doubts
        stated = self._stated_rows(envelope, where)
        if stated is not None and stated > self._progress.rows:
            ends_here = False
        if ends_here:
            return False
        size = self._resource.page_size
        self.doubts = size is not None and rows < size
        return not (self.doubts and stated == self._progress.rows)

    def _stated_rows(self, envelope: Mapping[str, Any], where: str) -> int | None:
        """The rows of the whole list by the file's `total`; None where the file names none."""
        spec = self._resource.total
        return None if spec is None or spec.unit != "rows" else total_of(spec, envelope, where)

    def _stated(self, envelope: Mapping[str, Any], following: int, where: str) -> bool | None:
        """What the page states: more (True), no more (False), or nothing of it (None)."""
        has_more = None
        if self._has_more_path:
            has_more = yes_or_no(at_path(envelope, self._has_more_path))
        total = self.total(envelope, where)
        if has_more is False or total is None or self._distrusts:
            return has_more
        # rows that came and went while the list is read show in the comparison at its end
        if self._by_rows and self._progress.rows > total:
            return has_more
        more = following < total + self._base
        if more and not self._by_rows and total == self._progress.rows > self._progress.pages:
            # perhaps a total of rows in the place of one of pages
            return has_more
        return more

    def total(self, envelope: Mapping[str, Any], where: str) -> int | None:
        """The total of rows or pages that dlt's paginator looks at; None where it reads none."""
        if not self._total_path:
            return None
        value = at_path(envelope, self._total_path)
        return number(value, where, f"`{self._total_path}`", "total_path")

    def _doubts_end(self, rows: int, following: int) -> bool:
        """Whether the stated end is to be confirmed by one more page."""
        if self.requested is None or self._distrusts:
            return False
        full = rows >= self.requested
        if self._progress.pages == 1:
            # the total may be this page's own: of its rows, or its number
            return full
        if self._by_rows:
            return False
        # pages are shorter than requested: their number may be that of longer ones
        return self._progress.short_pages >= self._progress.pages and not self._sizes.is_last(
            rows, self.requested
        )


REFERENCES = ("cursor", "header_cursor", "json_link", "json_response", "header_link")
"""dlt's paginators whose pages name the next one."""


class ReferenceEnd:
    """The end of a list whose pages name the next one: by a link or a cursor."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._kind = settings["type"]
        self._settings = settings
        self.doubts = False

    def goes_on(self, page: Page, where: str) -> bool:
        """Whether `page` names another.

        Raises AnswerError where what it names can't be a link or a cursor, or where it states that
        there are more without naming one.
        """
        assert page.envelope is not None
        envelope = page.envelope.json()
        place, value = self._reference(page.envelope)
        more = None
        if self._settings.get("has_more_path"):
            more = yes_or_no(at_path(envelope, self._settings["has_more_path"]))
        if more is False or (self._settings.get("stop_after_empty_page") and not page.rows):
            return False
        if is_nothing(value):
            if more:
                raise AnswerError(
                    f"{where} states at `{self._settings['has_more_path']}` that there is more, "
                    f"but has nothing at {place}, where the next page should be. Check `paginator`."
                )
            return False
        self._check(place, value, where)
        return True

    def _reference(self, envelope: Envelope) -> tuple[str, Any]:
        settings = self._settings
        if self._kind == "header_link":
            link = envelope.links.get(settings.get("links_next_key", "next"), {})
            return "the header Link", link.get("url")
        if self._kind == "header_cursor":
            key = settings.get("cursor_key", "next")
            return f"the header {key}", envelope.headers.get(key)
        is_link = self._kind in ("json_link", "json_response")
        key = "next_url_path" if is_link else "cursor_path"
        path = settings.get(key, "next" if is_link else "cursors.next")
        return f"`{path}`", at_path(envelope.json(), path)

    def _check(self, place: str, value: Any, where: str) -> None:
        is_link = self._kind in ("json_link", "json_response", "header_link")
        if isinstance(value, str) or (not is_link and type(value) in (int, float)):
            return
        what = "link" if is_link else "cursor"
        advice = "Check `paginator`."
        if isinstance(value, Mapping) and is_link:
            inner = next((n for n in ("href", "url", "link") if isinstance(value.get(n), str)), "")
            if inner:
                advice = f"Say `next_url_path: {place.strip('`')}.{inner}`."
        elif is_link and isinstance(value, int | float) and not isinstance(value, bool):
            advice = (
                f"If that is the next page's number, say `paginator: {{type: cursor, cursor_path: "
                f"{place.strip('`')}, cursor_param: page}}`."
            )
        raise AnswerError(f"{where} has no {what} at {place}, but {described(value)}. {advice}")
