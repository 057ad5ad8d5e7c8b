"""Pagination that ends: dlt's paginators, watched for loops and lists that are too long.

How an API's pages follow each other is dlt's. What the API states about their number is read in
`totals.py`.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator, RangePaginator
from dlt.sources.rest_api.config_setup import create_paginator

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.pages.page import Envelope, Page
from timetracking_assets.ingest.pages.totals import StatedTotals
from timetracking_assets.spec.api import Resource

_ADVICE = ", or say `repeated_page: stop` if it repeats its last page"


class SeenPages:
    """The rows of a list's pages, a number each, whichever part of it they are in."""

    def __init__(self) -> None:
        self._found: dict[int, object] = {}

    def is_new(self, rows: int) -> bool:
        """Remember the digest of a page's rows; whether none had it before. Threads may call it."""
        mine = object()
        return self._found.setdefault(rows, mine) is mine


class WatchedPaginator(BasePaginator):
    """dlt's paginator of `config` for one list; it raises AnswerError for pages that can't be one.

    Refused are a page that holds the rows of an earlier one of its list, a next page that was
    already requested (the same cursor or link), and a list that goes on after `max_pages`. It
    keeps a digest of each page and each request. `totals` learns what the last page states. Where
    several paginate parts of one list, they share `seen`.

    `envelope` and `rows` are the latest page's, `where` names it in messages.

    Where `repeated_page` is `stop`, a page with the rows of the one just before it ends the list,
    and they are left out.
    """

    def __init__(
        self,
        config: Any,
        resource: Resource,
        totals: StatedTotals | None = None,
        seen: SeenPages | None = None,
    ) -> None:
        super().__init__()
        self._paginator: BasePaginator = create_paginator(config)  # type: ignore[assignment]
        self._resource, self._totals = resource, totals
        self._page, self._url = 0, ""
        self.envelope: Envelope | None = None
        self.rows = 0
        self._seen = seen or SeenPages()
        self._requests: set[bytes] = set()
        self._stopped = False
        self._latest: int | None = None

    @property
    def has_next_page(self) -> bool:
        """Whether dlt is to request another page."""
        return self._paginator.has_next_page and self._more_by_size() and not self._stopped

    def init_request(self, request: requests.Request) -> None:
        """Called by dlt at the start of the list."""
        self._paginator.init_request(request)
        self._requests.add(_digest_of(request))

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Called by dlt with each page: `data` is a list of one `Page`."""
        [page] = data or []
        self.envelope = page.envelope
        self._paginator.update_state(page.envelope, page.rows)
        self._page, self._url, self.rows = self._page + 1, page.url, len(page.rows)
        if page.rows:
            self._look_for_repetition(page)
        if self.has_next_page and self._page >= self._resource.max_pages:
            raise too_long(self.where, self._resource.max_pages)

    def _more_by_size(self) -> bool:
        size = self._resource.page_size
        return not isinstance(self._paginator, RangePaginator) or size is None or self.rows >= size

    def _look_for_repetition(self, page: Page) -> None:
        # the rows alone: an envelope may hold the number of the page
        rows = _digest_of_rows(page)
        self._stopped = self._resource.repeated_page == "stop" and rows == self._latest
        self._latest = rows
        if self._stopped:
            page.rows = []
        elif not self._seen.is_new(rows):
            raise self._refusal("holds the same as an earlier page of the list", _ADVICE)

    def update_request(self, request: requests.Request) -> None:
        """Called by dlt after each page, the last one too."""
        self._paginator.update_request(request)
        if not self.has_next_page:
            return
        requested = _digest_of(request)
        if requested in self._requests:
            raise self._refusal("names as the next page one that was already requested")
        self._requests.add(requested)

    def finish(self) -> None:
        """Called at the end of the list: what its last page states is its total."""
        if self._totals and self.envelope:
            self._totals.note(self.envelope.json(), self.where)

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
    asked = [request.method, request.url, request.params, request.json, request.data]
    content = json.dumps(asked, default=str, sort_keys=True)
    return blake2b(content.encode(), digest_size=16).digest()
