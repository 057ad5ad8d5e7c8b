"""Lists end: loops and endless lists are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator, OffsetPaginator
from dlt.sources.rest_api.config_setup import PAGINATOR_MAP, register_paginator
from dlt.sources.rest_api.typing import PaginatorType

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.ingest.pages.grammar import grammar_mistakes
from timetracking_assets.spec.api import Api

if TYPE_CHECKING:
    from tests.support.stub_api import Answer, Stub


Resolve = Callable[..., Api]
Refusal = Callable[[Callable[[], Any]], Exception]
Serve = Callable[[dict[str, str]], dict[str, Any]]
CURSOR = {"type": "cursor", "cursor_path": "next", "cursor_param": "after"}
LINK = {"type": "json_link", "next_url_path": "next"}
NUMBER = {"type": "page_number", "base_page": 1, "total_path": None}
OFFSET = {"type": "offset", "limit": 1, "total_path": None}


@pytest.fixture
def read(stub: Stub, api: Resolve) -> Callable[..., list[Any]]:
    """Ids of the rows that a resource gives, from a server that `serve`s envelopes by query."""

    def read(paginator: Any, serve: Serve, path: str = "entries", **given: Any) -> list[Any]:
        def answer(url: str, body: bytes) -> Answer:
            query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
            posted = json.loads(body) if body else {}
            return 200, {}, json.dumps(serve({**query, **posted})).encode()

        stub.answers = [answer]
        endpoint = {"path": path, "paginator": paginator, **given.pop("endpoint", {})}
        people = {"name": "people", "endpoint": {"path": "people"}}
        resolved = api({"name": "entries", "endpoint": endpoint, **given}, people)
        connection = Connection(resolved, {"HOURS_BASE_URL": stub.url})
        parents = [{"id": 1}, {"id": 2}] if "{" in path else None
        resource = resolved.resources["entries"]
        with open_pages(connection, resource, RequestStats(), parent_rows=parents) as pages:
            return [json.loads(bytes(row))["id"] for page in pages for row in page.rows]

    return read


def listed(ids: list[int], following: Any = None) -> dict[str, Any]:
    return {"data": [{"id": key} for key in ids], "next": following}


def test_lists_that_end_are_read(read: Callable[..., list[Any]], stub: Stub) -> None:
    by_cursor = {None: listed([1], "a"), "a": listed([2], "b"), "b": listed([3])}
    assert read(CURSOR, lambda query: by_cursor[query.get("after")]) == [1, 2, 3]
    pages = {"1": listed([1]), "2": listed([2]), "3": listed([])}
    assert read(NUMBER, lambda query: pages[query["page"]]) == [1, 2]
    links = {None: listed([1], "/entries?p=2"), "2": listed([2], f"{stub.url}/entries?p=3")}
    links["3"] = listed([3])
    assert read(LINK, lambda query: links[query.get("p")]) == [1, 2, 3]


class SkippingPaginator(BasePaginator):
    """One of a project's own: every second page, as long as there are rows."""

    def __init__(self, step: int = 1) -> None:
        super().__init__()
        self._step, self._page = step, 0

    def update_state(self, response: requests.Response, data: list[Any] | None = None) -> None:
        self._has_next_page = bool(data)

    def update_request(self, request: requests.Request) -> None:
        self._page += self._step
        request.params = {"page": self._page}


def test_a_paginator_that_a_project_has_registered_ends_its_lists_itself(
    read: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # dlt forgets none that it was given
    monkeypatch.setattr(PaginatorType, "__args__", PaginatorType.__args__)
    monkeypatch.setitem(PAGINATOR_MAP, "skipping", SkippingPaginator)
    register_paginator("skipping", SkippingPaginator)
    pages = {None: listed([1]), "2": listed([2]), "4": listed([3]), "6": listed([])}
    paginator = {"type": "skipping", "step": 2}
    assert read(paginator, lambda query: pages[query.get("page")]) == [1, 2, 3]
    attributes = {"resources": [{"name": "a", "endpoint": {"paginator": paginator}}]}
    assert not grammar_mistakes(attributes)


@pytest.mark.parametrize("paginator", [CURSOR, LINK, NUMBER, OFFSET, "single_page"])
def test_lists_of_a_fan_out_may_be_equal(read: Callable[..., list[Any]], paginator: Any) -> None:
    """Each has its own first page, the same cursors, the same rows."""
    path = "people/{resources.people.id}/entries"

    def serve(query: dict[str, str]) -> dict[str, Any]:
        page = int(query.get("after") or query.get("page") or query.get("offset") or 1)
        following = {"cursor": "2", "json_link": "entries?page=2"}.get(
            paginator["type"] if isinstance(paginator, dict) else ""
        )
        if paginator == OFFSET:
            page = int(query["offset"]) + 1
        return listed([page] if page < 3 else [], following if page < 2 else None)

    rows = read(paginator, serve, path)
    # the lists come side by side
    assert sorted(rows) == ([1, 1] if paginator == "single_page" else [1, 1, 2, 2])


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_cursor_that_comes_again_is_refused(
    refusal: Refusal, read: Callable[..., list[Any]], stub: Stub, length: int
) -> None:
    """The rows are always new: only the cursor shows it."""
    asked: list[dict[str, str]] = []

    def serve(query: dict[str, str]) -> dict[str, Any]:
        asked.append(query)
        return listed([len(asked)], f"cursor-{len(asked) % length}")

    message = r"^hours/entries: page \d \(.*/entries\) names as the next page one that was already"
    error = refusal(lambda: read(CURSOR, serve))
    assert isinstance(error, AnswerError)
    assert re.search(message, str(error))
    assert len(asked) == length + 1


def test_a_cursor_in_the_body_that_comes_again_is_refused(
    refusal: Refusal, read: Callable[..., list[Any]], stub: Stub
) -> None:
    paginator = {"type": "cursor", "cursor_path": "next", "cursor_body_path": "after"}
    endpoint = {"method": "POST", "json": {"size": 1}}
    turns = iter(range(100))

    def serve(query: dict[str, str]) -> dict[str, Any]:
        return listed([next(turns)], "b" if query.get("after") == "a" else "a")

    error = refusal(lambda: read(paginator, serve, endpoint=endpoint))
    assert isinstance(error, AnswerError)
    assert re.search(r"page 3 .*already requested", str(error))
    assert len(stub.paths) == 3


def test_links_that_go_in_a_circle_are_refused(
    refusal: Refusal, read: Callable[..., list[Any]], stub: Stub
) -> None:
    turns = iter(range(100))

    def serve(query: dict[str, str]) -> dict[str, Any]:
        return listed([next(turns)], "/entries?p=1" if query.get("p") == "2" else "/entries?p=2")

    error = refusal(lambda: read(LINK, serve))
    assert isinstance(error, AnswerError)
    assert re.search(r"page 3 .*already requested", str(error))
    assert len(stub.paths) == 3


@pytest.mark.parametrize(("paginator", "param"), [(NUMBER, "page"), (OFFSET, "offset")])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_pages_that_come_again_are_refused(
    refusal: Refusal,
    read: Callable[..., list[Any]],
    stub: Stub,
    paginator: Any,
    param: str,
    length: int,
) -> None:
    """Also where others lie between: A, B, A, B."""
    message = f"page {length + 1} .* holds the same as an earlier page of the list"
    error = refusal(lambda: read(paginator, lambda query: listed([int(query[param]) % length])))
    assert isinstance(error, AnswerError)
    assert re.search(message, str(error))
    assert len(stub.paths) == length + 1


def test_a_list_longer_than_max_pages_is_refused(
    refusal: Refusal, read: Callable[..., list[Any]], stub: Stub
) -> None:
    def serve(query: dict[str, str]) -> dict[str, Any]:
        page = int(query["page"])
        return {**listed([page]), "pages": 3}

    paginator = {**NUMBER, "total_path": "pages"}
    assert sorted(read(paginator, serve, max_pages=3)) == [1, 2, 3]
    stub.paths.clear()
    message = r"^hours/entries: page 1 \(.*\): the list goes on after 2 pages \(`max_pages`\)"
    error = refusal(lambda: read(paginator, serve, max_pages=2))
    assert isinstance(error, AnswerError)
    assert re.search(message, str(error))
    assert len(stub.paths) == 1


def test_max_pages_has_a_default_for_all_and_one_for_each(api: Resolve) -> None:
    entries = {"name": "entries", "endpoint": {"path": "entries"}}
    complete = {
        "primary_key": "id",
        "endpoint": {"data_selector": "data", "paginator": "single_page"},
    }
    people = {**entries, "name": "people", "max_pages": 7}
    resolved = api(entries, people, resource_defaults={**complete, "max_pages": 50})
    assert [resource.max_pages for resource in resolved.resources.values()] == [50, 7]
    assert api(entries).resources["entries"].max_pages == 100_000


@pytest.mark.parametrize(("paginator", "param"), [(NUMBER, "page"), (OFFSET, "offset")])
def test_a_repeated_page_is_the_end_where_the_file_says_so(
    read: Callable[..., list[Any]], stub: Stub, paginator: Any, param: str
) -> None:
    """The last page comes again under each higher number, which its envelope tells."""

    def serve(query: dict[str, str]) -> dict[str, Any]:
        number = int(query[param])
        return {**listed([min(number, 3)]), "page": number}

    rows = read(paginator, serve, repeated_page="stop")
    assert rows == list(range(0 if param == "offset" else 1, 4))
    assert len(stub.paths) == len(rows) + 1


def test_repeated_pages_end_each_list_of_a_fan_out(
    read: Callable[..., list[Any]], stub: Stub
) -> None:
    path = "people/{resources.people.id}/entries"
    rows = read(
        NUMBER, lambda query: listed([min(int(query["page"]), 2)]), path, repeated_page="stop"
    )
    assert sorted(rows) == [1, 1, 2, 2]
    assert len(stub.paths) == 6


def test_only_the_page_just_before_may_come_again(
    refusal: Refusal, read: Callable[..., list[Any]]
) -> None:
    error = refusal(
        lambda: read(NUMBER, lambda query: listed([int(query["page"]) % 2]), repeated_page="stop")
    )
    assert "page 3 " in str(error)
    assert "holds the same as an earlier page of the list" in str(error)


def test_a_page_number_in_the_envelope_hides_no_repetition(
    refusal: Refusal, read: Callable[..., list[Any]]
) -> None:
    error = refusal(lambda: read(NUMBER, lambda query: {**listed([1]), "page": query["page"]}))
    assert "holds the same as an earlier page of the list" in str(error)
    assert "or say `repeated_page: stop` if it repeats its last page" in str(error)


def test_a_page_number_in_the_body_tells_pages_apart(
    refusal: Refusal, read: Callable[..., list[Any]], stub: Stub
) -> None:
    """A POST asks for its pages, and for its lists, in the body."""
    paginator = {**NUMBER, "page_body_path": "page"}
    endpoint = {"method": "POST", "json": {"size": 1}}
    pages = {1: [1], 2: [2], 3: []}
    serve: Serve = lambda query: listed(pages[int(query["page"])])  # noqa: E731
    assert read(paginator, serve, endpoint=endpoint) == [1, 2]
    by_person = {**endpoint, "json": {"person": "{resources.people.id}"}}
    path = "people/{resources.people.id}/entries"
    assert sorted(read(paginator, serve, path, endpoint=by_person)) == [1, 1, 2, 2]
    error = refusal(lambda: read(paginator, lambda query: listed([1]), endpoint=endpoint))
    assert "page 2 " in str(error)


def test_an_offset_of_dlt_goes_on_by_its_step() -> None:
    """What is read from dlt's paginator, and set in it, is what moves it."""
    paginator = OffsetPaginator(limit=100, total_path=None)
    request = requests.Request("GET", "https://api.example/entries")
    paginator.init_request(request)
    assert (paginator.limit, paginator.current_value) == (100, 0)
    paginator.value_step = 20
    paginator.update_state(requests.Response(), [{}])
    assert paginator.current_value == 20
    paginator.update_request(request)
    assert request.params["offset"] == 20
    assert paginator.has_next_page
