"""Pagination that ends: dlt's paginators, watched for loops and lists that are too long.

How an API's pages follow each other is dlt's; whether one follows is decided in `list_end.py`.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

import requests
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    OffsetPaginator,
    RangePaginator,
)
from dlt.sources.rest_api.config_setup import create_paginator

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.pages.list_end import (
    REFERENCES,
    ListProgress,
    PageSizes,
    RangeEnd,
    ReferenceEnd,
)
from timetracking_assets.ingest.pages.page import Envelope, Page, unexpected_status
from timetracking_assets.ingest.pages.totals import ListRead
from timetracking_assets.spec.api import Resource

_BEYOND_THE_LAST = (requests.codes.not_found, requests.codes.gone, 416)
"""Answers for a page after the last one, where nothing stated that there is one."""

_NO_SUCH_PAGE = (requests.codes.bad_request, 422)
"""Such answers, too, where a page is requested only to see that there is nothing."""

_ADVICE = ", or say `repeated_page: stop` if it repeats its last page"


class WatchedPaginator(BasePaginator):
    """dlt's paginator of `config` for one list; it raises AnswerError for pages that can't be one.

    Refused are a page that holds the rows of an earlier one of its list, a next page that was
    already requested (the same cursor or link), and a list that goes on after `max_pages`. It
    keeps a digest of each page and each request. Where several paginate parts of one list, they
    share `progress`; `sizes` is shared by all lists of a resource.

    `envelope` and `rows` are the latest page's, `where` names it in messages.

    Where `repeated_page` is `stop`, a page with the rows of the one just before it ends the list,
    and they are left out.
    """

    def __init__(
        self,
        config: Any,
        resource: Resource,
        sizes: PageSizes,
        progress: ListProgress | None = None,
    ) -> None:
        super().__init__()
        settings = config if isinstance(config, dict) else {"type": config}
        self.progress = progress or ListProgress()
        self._range: RangeEnd | None = None
        self._reference: ReferenceEnd | None = None
        if settings["type"] in ("page_number", "offset"):
            self._range = RangeEnd(settings, resource, self.progress, sizes)
            # what pages state is read by the end, rows count as ever
            config = {**settings, "total_path": None, "has_more_path": None}
            config["stop_after_empty_page"] = True
        elif settings["type"] in REFERENCES:
            self._reference = ReferenceEnd(settings)
            config = {k: v for k, v in settings.items() if k != "has_more_path"}
        self._paginator: BasePaginator = create_paginator(config)  # type: ignore[assignment]
        self._resource = resource
        self._page, self._url = 0, ""
        self.envelope: Envelope | None = None
        self._first: Envelope | None = None
        self.rows = 0
        self.goes_on = True
        """Whether pages come after the latest one, in this part of the list or beyond it."""
        self._requests: set[bytes] = set()
        self._latest: int | None = None

    @property
    def has_next_page(self) -> bool:
        """Whether dlt is to request another page."""
        return self.goes_on and (self._range is None or self._paginator.has_next_page)

    @property
    def following(self) -> int:
        """The number or offset of the next page."""
        assert isinstance(self._paginator, RangePaginator)
        return int(self._paginator.current_value)

    @property
    def stated(self) -> int | None:
        """The total that dlt's paginator looks at, of the latest page."""
        if self._range is None or self.envelope is None:
            return None
        return self._range.total(self.envelope.json(), self.where)

    def read(self, last: WatchedPaginator) -> ListRead | None:
        """The list whose first part this is, and whose last part is `last`; None without a page."""
        if self._first is None or self.envelope is None:
            return None
        end = last.envelope or self.envelope
        where = last.where if last.envelope else self.where
        return ListRead(self._first, end, where, self.progress, self._range)

    def init_request(self, request: requests.Request) -> None:
        """Called by dlt at the start of the list."""
        self._paginator.init_request(request)
        self._requests.add(_digest_of(request))

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Called by dlt with each page: `data` is a list of one `Page`."""
        [page] = data or []
        self._page, self._url = self._page + 1, page.url
        self.envelope, self.rows = page.envelope, len(page.rows)
        self._first = self._first or page.envelope
        status = response.status_code
        unmentioned = status == requests.codes.no_content not in self._resource.success_codes
        if self._page == 1 and unmentioned:
            # after rows it is an end; a whole list that is empty must be one by the file
            raise unexpected_status(self.where, status)
        requested = self._range.requested if self._range else None
        repeated = bool(page.rows) and self._repeats(page)
        self.progress.received(len(page.rows), requested)
        self.goes_on = not repeated and self._advance(page)
        if self.has_next_page and self._page >= self._resource.max_pages:
            raise too_long(self.where, self._resource.max_pages)

    def _advance(self, page: Page) -> bool:
        """Let dlt's paginator look at the page; whether another follows."""
        assert page.envelope is not None
        if self._range and isinstance(self._paginator, RangePaginator):
            if isinstance(self._paginator, OffsetPaginator):
                # an API may give fewer rows than requested: the next one comes after those
                self._paginator.value_step = len(page.rows) or self._paginator.limit
            # any row will do: whether an empty page is the last one is decided by the end
            self._paginator.update_state(page.envelope, page.rows or [None])
            return self._range.goes_on(page, self.following, self.where)
        if self._reference and not self._reference.goes_on(page, self.where):
            return False
        self._paginator.update_state(page.envelope, page.rows)
        return self._paginator.has_next_page

    def _repeats(self, page: Page) -> bool:
        # the rows alone: an envelope may hold the number of the page
        digest = _digest_of_rows(page)
        stops = self._resource.repeated_page == "stop" and digest == self._latest
        self._latest = digest
        if stops:
            page.rows = []
        elif not self.progress.is_new(digest):
            raise self._refusal("holds the same as an earlier page of the list", _ADVICE)
        return stops

    def update_request(self, request: requests.Request) -> None:
        """Called by dlt after each page, the last one too."""
        if not self.has_next_page:
            return
        self._paginator.update_request(request)
        requested = _digest_of(request)
        if requested in self._requests:
            if not self.rows:
                # a cursor that stays the same, and no more rows
                self.goes_on = False
                return
            raise self._refusal("names as the next page one that was already requested")
        self._requests.add(requested)

    def ends_with(self, status: int) -> bool:
        """Whether an answer of that status says that the list ended before it."""
        if not self._page or self._range is None or self._range.promised:
            return False
        return status in _BEYOND_THE_LAST or (self._range.doubts and status in _NO_SUCH_PAGE)

    @property
    def where(self) -> str:
        """The latest page, as messages begin with."""
        return f"{self._resource.label}: page {self._page} ({self._url})"

    def _refusal(self, what: str, advice: str = "") -> AnswerError:
        return AnswerError(
            f"{self.where} {what}: the API does not follow the paginator, and the list would "
            f"never end. Compare `paginator` and `params` with the API's documentation{advice}."
        )


def too_long(where: str, max_pages: int) -> AnswerError:
    """The error for a list of more pages than are allowed; `where` is the page that shows it."""
    return AnswerError(
        f"{where}: the list goes on after {max_pages} pages (`max_pages`); nothing was loaded. "
        "Raise `max_pages` if it is that long, or compare `paginator` with the API's documentation."
    )


def _digest_of_rows(page: Page) -> int:
    # 64 bits, and salted in each process: two of 10,000 pages look the same by chance once in
    # 10^11 lists. A cryptographic digest takes longer over a page than finding its rows does
    return hash(b"\n".join(page.rows))


def _digest_of(request: requests.Request) -> bytes:
    request_parts = [request.method, request.url, request.params, request.json, request.data]
    content = json.dumps(request_parts, default=str, sort_keys=True)
    return blake2b(content.encode(), digest_size=16).digest()
