"""Pagination that ends: dlt's paginators, watched for loops and for lists that go on and on.

How an API's pages follow each other is dlt's; nothing here knows a single paginator. What a page
holds is split in `pages.py`.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.config_setup import create_paginator

from timetracking_assets.ingest.errors import AnswerError
from timetracking_assets.ingest.pages import HEADERS
from timetracking_assets.ingest.totals import StatedTotals


class WatchedPaginator(BasePaginator):
    """dlt's paginator of `config`; it raises AnswerError for pages that can't be one list.

    Refused are a page that holds the same as an earlier one of its list, a next page that was
    already asked for (the same cursor or link), and a list that goes on after `max_pages`. It
    keeps 16 bytes for each page and each request of the present list. `totals` learns what the
    last page of each list states.
    """

    def __init__(
        self, config: Any, label: str, max_pages: int, totals: StatedTotals | None = None
    ) -> None:
        super().__init__()
        self._paginator: BasePaginator = create_paginator(config)  # type: ignore[assignment]
        self._label, self._max_pages = label, max_pages
        self._totals = totals
        self._page, self._url = 0, ""
        self._answer: dict[str, Any] = {}
        self._contents: set[bytes] = set()
        self._requests: set[bytes] = set()

    @property
    def has_next_page(self) -> bool:
        """Whether dlt is to ask for another page."""
        return self._paginator.has_next_page

    def init_request(self, request: requests.Request) -> None:
        """Called by dlt at the start of each list."""
        self._paginator.init_request(request)
        self._page, self._contents, self._requests = 0, set(), {_digest_of(request)}

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Called by dlt with each page; `data` is empty for one without rows."""
        self._paginator.update_state(response, data)
        self._page += 1
        self._url = response.url.partition("?")[0]
        self._answer = response.json()
        if data:
            content = _digest(response.content)
            if content in self._contents:
                raise self._refusal("holds the same as an earlier page of the list")
            self._contents.add(content)
        if self.has_next_page and self._page >= self._max_pages:
            raise AnswerError(
                f"{self._where}: the list goes on after {self._max_pages} pages (`max_pages`); "
                "nothing was loaded. Raise `max_pages` if it is that long, or compare `paginator` "
                "with the API's documentation."
            )

    def update_request(self, request: requests.Request) -> None:
        """Called by dlt after each page, the last one too."""
        self._paginator.update_request(request)
        if not self.has_next_page:
            if self._totals:
                self._totals.note(self._answer, self._answer[HEADERS], self._where)
            return
        asked = _digest_of(request)
        if asked in self._requests:
            raise self._refusal("names as the next page one that was already asked for")
        self._requests.add(asked)

    @property
    def _where(self) -> str:
        return f"{self._label}: page {self._page} ({self._url})"

    def _refusal(self, what: str) -> AnswerError:
        return AnswerError(
            f"{self._where} {what}: the API does not follow the paginator, and the list would "
            "never end. Compare `paginator` and `params` with the API's documentation."
        )


def _digest_of(request: requests.Request) -> bytes:
    asked = [request.method, request.url, request.params, request.json]
    return _digest(json.dumps(asked, default=str, sort_keys=True).encode())


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).digest()
