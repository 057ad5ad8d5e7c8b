"""Pagination that ends: dlt's paginators, watched for loops, long lists and the totals they state.

How an API's pages follow each other is dlt's; nothing here knows a single paginator. Totals are
only read here; the comparison with the table is the check `rows_reconciled`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Any

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.config_setup import create_paginator

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.pages.rest_api import HEADERS
from timetracking_assets.spec.model import TotalSpec

if TYPE_CHECKING:
    from timetracking_assets.ingest.pages.page import Page

_ADVICE = ", or say `repeated_page: stop` if it repeats its last page"


class SeenPages:
    """The rows of a list's pages, a number each, whichever part of it they are in."""

    def __init__(self) -> None:
        self._found: dict[int, object] = {}

    def __deepcopy__(self, memo: object) -> SeenPages:
        # dlt copies paginators; what they have seen belongs together
        return self

    def is_new(self, rows: int) -> bool:
        """Remember the digest of a page's rows; whether none had it before. Threads may call it."""
        mine = object()
        return self._found.setdefault(rows, mine) is mine


class WatchedPaginator(BasePaginator):
    """dlt's paginator of `config`; it raises AnswerError for pages that can't be one list.

    Refused are a page that holds the rows of an earlier one of its list, a next page that was
    already asked for (the same cursor or link), and a list that goes on after `max_pages`. It
    keeps a digest of each page and each request of the present list. `totals` learns what the
    last page of each list states. Where several paginate parts of one list, they share `seen`.

    With `stops_at_repeated`, a page with the rows of the one just before it ends its list, and
    they are left out.
    """

    def __init__(
        self,
        config: Any,
        label: str,
        max_pages: int,
        totals: StatedTotals | None = None,
        seen: SeenPages | None = None,
        *,
        stops_at_repeated: bool = False,
    ) -> None:
        super().__init__()
        self._paginator: BasePaginator = create_paginator(config)  # type: ignore[assignment]
        self._label, self._max_pages = label, max_pages
        self._totals = totals
        self._page, self._url = 0, ""
        self._answer: dict[str, Any] = {}
        self._shared, self._seen = seen, seen or SeenPages()
        self._requests: set[bytes] = set()
        self._stops_at_repeated, self._stopped = stops_at_repeated, False
        self._latest: int | None = None

    @property
    def has_next_page(self) -> bool:
        """Whether dlt is to ask for another page."""
        return self._paginator.has_next_page and not self._stopped

    def init_request(self, request: requests.Request) -> None:
        """Called by dlt at the start of each list."""
        self._paginator.init_request(request)
        self._page, self._requests = 0, {_digest_of(request)}
        self._latest, self._stopped = None, False
        self._seen = self._shared or SeenPages()

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        """Called by dlt with each page, before it uses `data`, which is empty for no rows."""
        self._paginator.update_state(response, data)
        self._page += 1
        self._url = response.url.partition("?")[0]
        self._answer = response.json()
        if data:
            self._look_for_repetition(data)
        if self.has_next_page and self._page >= self._max_pages:
            raise too_long(self._where, self._max_pages)

    def _look_for_repetition(self, data: list[Any]) -> None:
        # the rows alone: an envelope may tell the number of the page
        rows = _digest_of_rows(data)
        self._stopped = self._stops_at_repeated and rows == self._latest
        self._latest = rows
        if self._stopped:
            data.clear()
        elif not self._seen.is_new(rows):
            raise self._refusal("holds the same as an earlier page of the list", _ADVICE)

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

    def _refusal(self, what: str, advice: str = "") -> AnswerError:
        return AnswerError(
            f"{self._where} {what}: the API does not follow the paginator, and the list would "
            f"never end. Compare `paginator` and `params` with the API's documentation{advice}."
        )


def too_long(where: str, max_pages: int) -> AnswerError:
    """The error for a list of more pages than are allowed; `where` is the page that shows it."""
    return AnswerError(
        f"{where}: the list goes on after {max_pages} pages (`max_pages`); nothing was loaded. "
        "Raise `max_pages` if it is that long, or compare `paginator` with the API's documentation."
    )


def _digest_of_rows(pages: list[Page]) -> int:
    # 64 bits, and salted anew in each process: two of 10,000 pages look the same by chance once in
    # 10^11 lists. A cryptographic digest takes longer over a page than finding its rows does
    return hash(b"\n".join(chain.from_iterable(page.rows for page in pages)))


def _digest_of(request: requests.Request) -> bytes:
    asked = [request.method, request.url, request.params, request.json, request.data]
    content = json.dumps(asked, default=str, sort_keys=True)
    return blake2b(content.encode(), digest_size=16).digest()


class StatedTotals:
    """The totals of the lists that one load asks for, a list being one series of pages."""

    def __init__(self, spec: TotalSpec | None) -> None:
        self._spec = spec
        self._lists: list[int | None] = []

    def __deepcopy__(self, memo: object) -> StatedTotals:
        # dlt copies paginators for each list; what they learn belongs together
        return self

    def note(self, envelope: Mapping[str, Any], headers: Mapping[str, str], where: str) -> None:
        """Read the total of a list's last page: rows may come and go while it is read.

        `headers` go by lower-case names, `where` begins an error. Raises AnswerError where the
        total is not a number. A page may state none: then none is known.
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
