"""Requests are counted where they are made: as many as are in the server's log, whatever fails."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.spec.api import Api

if TYPE_CHECKING:
    from tests.support.stub_api import Answer, Stub

PAGES = 5
PAGINATORS: dict[str, Any] = {
    "single_page": "single_page",
    "pages in parallel": {"type": "page_number", "base_page": 1, "total_path": "pages"},
    "pages until an empty one": {"type": "page_number", "base_page": 1, "total_path": None},
    "offset": {"type": "offset", "limit": 1, "total_path": "total"},
    "cursor": {"type": "cursor", "cursor_path": "next_page", "cursor_param": "page"},
    "json_link": {"type": "json_link", "next_url_path": "next"},
    "header_link": "header_link",
}


def page(path: str) -> Answer:
    """A row a page, with each paginator's way to the next one."""
    query = {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}
    number = int(query.get("offset", -1)) + 1 or int(query.get("page", 1))
    following = number + 1 if number < PAGES else None
    body = {
        "data": [{"id": number}] if number <= PAGES else [],
        "pages": PAGES,
        "total": PAGES,
        "next_page": following,
        "next": following and f"/x?page={following}",
    }
    link = {"Link": f'</x?page={following}>; rel="next"'} if following else {}
    return 200, link, json.dumps(body).encode()


def never() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
    for _ in range(100):
        time.sleep(0.05)
        yield b" "


FAULTS: dict[str, tuple[Callable[[str], Any], int, int]] = {
    # what one request is answered with; requests and retries that it adds
    "nothing": (page, 0, 0),
    "503": (lambda _: (503, {}, b""), 1, 1),
    "429": (lambda _: (429, {"Retry-After": "0"}, b""), 1, 1),
    "a rate limit as 403": (lambda _: (403, {"X-RateLimit-Remaining": "0"}, b""), 1, 1),
    "a lost connection": (lambda _: (0, {}, b""), 1, 1),
    "a body shorter than its length": (
        lambda path: (200, {"Content-Length": "9999", "Connection": "close"}, page(path)[2]),
        1,
        1,
    ),
    "JSON that ends in the middle": (lambda path: (200, {}, page(path)[2][:-9]), 1, 1),
    "gzip that ends in the middle": (
        lambda path: (200, {"Content-Encoding": "gzip"}, gzip.compress(page(path)[2])[:-9]),
        1,
        1,
    ),
    "a redirect": (lambda path: (302, {"Location": path}, b""), 1, 0),
    "a redirect to a failure": (lambda path: (302, {"Location": f"/broken{path}"}, b""), 2, 1),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("way", PAGINATORS)
def test_as_many_requests_as_the_server_has_seen(
    api: Callable[..., Api], stub: Stub, way: str, fault: str
) -> None:
    failing, more, retries = FAULTS[fault]
    numbers = count(1)

    def answer(path: str, _: bytes) -> Any:
        if path.startswith("/broken"):
            return 503, {}, b""
        return failing(path) if next(numbers) == (1 if way == "single_page" else 3) else page(path)

    stub.answers = [answer]
    stats = RequestStats()
    rows = read(api, stub, PAGINATORS[way], stats)
    pages = 1 if way == "single_page" else PAGES
    assert sorted(rows) == list(range(1, pages + 1))
    asked = pages + (way == "pages until an empty one")
    assert (stats.requests, stats.retries) == (asked + more, retries)
    assert stats.requests == len(stub.paths)


@pytest.mark.parametrize("way", ["pages in parallel", "json_link"])
def test_a_request_without_an_end_is_counted(api: Callable[..., Api], stub: Stub, way: str) -> None:
    numbers = count(1)
    stub.answers = [lambda path, _: never() if next(numbers) == 2 else page(path)]
    stats = RequestStats()
    read(api, stub, PAGINATORS[way], stats, timeout=5, total_timeout=2)
    assert stats.requests == len(stub.paths) == PAGES + 1


def test_what_is_not_sent_is_not_counted(api: Callable[..., Api], stub: Stub) -> None:
    stub.answers = [(302, {"Location": "http://elsewhere.example/"}, b"")]
    stats = RequestStats()
    with pytest.raises(Exception, match="refers to another host"):
        read(api, stub, "single_page", stats)
    assert stats.requests == len(stub.paths) == 1


def read(
    api: Callable[..., Api], stub: Stub, paginator: Any, stats: RequestStats, **retry: Any
) -> list[int]:
    resolved = api(
        {"name": "entries", "endpoint": {"path": "x", "paginator": paginator}},
        client={"base_url": "${BASE_URL}"},
        retry={"backoff_factor": 0, **retry},
    )
    connection = Connection(resolved, {"BASE_URL": stub.url})
    with open_pages(connection, resolved.resources["entries"], stats) as pages:
        return [json.loads(bytes(row))["id"] for page in pages for row in page.rows]


def test_counts_of_threads_add_up() -> None:
    whole = RequestStats(requests=2, quota_remaining=7, credential_columns=frozenset({"a"}))
    started = whole.started
    whole.add(
        RequestStats(
            requests=3,
            requests_in_vain=1,
            bytes=5,
            quota_remaining=4,
            characters_replaced=1,
            non_finite_numbers=2,
            assumed_encoding="windows-1252",
            credential_columns=frozenset({"b"}),
        )
    )
    assert (whole.requests, whole.bytes, whole.quota_remaining) == (5, 5, 4)
    assert (whole.characters_replaced, whole.assumed_encoding) == (1, "windows-1252")
    assert (whole.non_finite_numbers, whole.requests_in_vain) == (2, 1)
    assert whole.credential_columns == {"a", "b"}
    assert whole.started == started
