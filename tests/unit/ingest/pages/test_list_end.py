"""Lists end where their rows do, however an API hides its page size or says that this was all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from timetracking_assets.errors import AnswerError, ApiError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.ingest.pages.totals import StatedTotals
from timetracking_assets.spec.api import Api

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Answer, Stub

Resolve = Callable[..., Api]
Body = dict[str, Any]
Serve = Callable[[dict[str, str]], Any]
COUNT = 25
NUMBER = {"type": "page_number", "base_page": 1, "total_path": None}
OFFSET = {"type": "offset", "limit": 10, "total_path": None}


class Reading:
    """What came of reading a list: its ids, in order, and what was noticed."""

    def __init__(self, ids: list[int], totals: StatedTotals, requests: int) -> None:
        self.ids, self.totals, self.requests = sorted(set(ids)), totals, requests

    @property
    def is_whole(self) -> bool:
        return self.ids == list(range(COUNT))


@pytest.fixture
def read(stub: Stub, api: Resolve) -> Callable[..., Reading]:
    """Reads a list from a server that `serve`s bodies, or (status, headers, body), by query."""

    def read(paginator: Any, serve: Serve, **given: Any) -> Reading:
        def answer(url: str, body: bytes) -> Answer:
            query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
            result = serve(query)
            status, headers, content = result if isinstance(result, tuple) else (200, {}, result)
            return status, headers, json.dumps(content).encode() if content is not None else b""

        stub.answers, stub.paths = [answer], []
        concurrency = given.pop("concurrency", 1)
        endpoint = {"path": "entries", "paginator": paginator}
        resolved = api(
            {"name": "entries", "endpoint": endpoint, **given},
            concurrency=concurrency,
            retry={"max_retries": 0},
        )
        connection = Connection(resolved, {"HOURS_BASE_URL": stub.url})
        resource = resolved.resources["entries"]
        totals = StatedTotals(resource)
        with open_pages(connection, resource, RequestStats(), totals=totals) as pages:
            ids = [json.loads(bytes(row))["id"] for page in pages for row in page.rows]
        return Reading(ids, totals, len(stub.paths))

    return read


Read = Callable[..., Reading]


def rows(start: int, size: int, count: int = COUNT) -> list[Body]:
    return [{"id": key} for key in range(start, max(start, min(start + size, count)))]


def by_number(size: int = 10, **stated: Any) -> Serve:
    """Pages of `size` rows, whatever was requested."""
    return lambda query: {"data": rows((int(query["page"]) - 1) * size, size), **stated}


def by_offset(cap: int, **stated: Any) -> Serve:
    """At most `cap` rows a page."""
    return lambda query: {
        "data": rows(int(query["offset"]), min(int(query["limit"]), cap)),
        **stated,
    }


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("limit", [10, 100])
@pytest.mark.parametrize("cap", [1, 4, 5, 9])
@pytest.mark.parametrize("stated", [{"total": COUNT}, {"total": None}, {}])
@pytest.mark.parametrize("page_size", [None, "limit"])
def test_an_offset_goes_on_by_the_rows_received(
    read: Read, concurrency: int, limit: int, cap: int, stated: Body, page_size: str | None
) -> None:
    paginator = {**OFFSET, "limit": limit, "total_path": "total"}
    size = {"page_size": limit} if page_size else {}
    result = read(paginator, by_offset(cap, **stated), concurrency=concurrency, **size)
    assert result.is_whole
    assert result.totals.differences == []


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("cap", [3, 5])
def test_page_numbers_go_on_after_short_pages(read: Read, concurrency: int, cap: int) -> None:
    """The API gives fewer rows than requested, on each page."""
    assert read(NUMBER, by_number(cap), page_size=10, concurrency=concurrency).is_whole
    stated = {**NUMBER, "total_path": "pages"}
    pages = -(-COUNT // 10)
    result = read(stated, by_number(cap, pages=pages), page_size=10, concurrency=concurrency)
    assert result.is_whole
    # the API counts pages of the size that it does not give
    assert f"states {pages} pages" in result.totals.differences[0]


def test_a_short_page_is_confirmed_only_while_no_longer_one_came(read: Read) -> None:
    assert read(NUMBER, by_number(10), page_size=10).requests == 3
    few = read(NUMBER, lambda query: {"data": rows(0, 4) if query["page"] == "1" else []},
               page_size=10)  # fmt: skip
    assert (few.ids, few.requests) == ([0, 1, 2, 3], 2)


def test_a_stated_total_confirms_a_short_page(read: Read) -> None:
    only = read(NUMBER, by_number(100, all=COUNT), page_size=100, total={"path": "all"})
    assert (only.is_whole, only.requests) == (True, 1)


@pytest.mark.parametrize("total", [10, 1])
def test_a_total_of_the_page_alone_is_not_the_lists(read: Read, total: int) -> None:
    """`count` is often that of the page; `pages` may be the page's own number."""
    if total == 10:
        result = read({**OFFSET, "total_path": "n"}, by_offset(10, n=total))
    else:
        result = read({**NUMBER, "total_path": "n"}, by_number(n=total), page_size=10)
    assert result.is_whole
    assert result.totals.rows == total if total == 10 else result.totals.differences


def test_a_total_of_pages_in_the_place_of_rows_ends_nothing(read: Read) -> None:
    result = read({**OFFSET, "total_path": "pages"}, by_offset(10, pages=3))
    assert result.is_whole
    assert result.totals.rows == 3


def test_a_total_of_rows_in_the_place_of_pages_is_no_difference(read: Read) -> None:
    result = read({**NUMBER, "total_path": "total"}, by_number(total=COUNT), concurrency=4)
    assert result.is_whole
    assert result.totals.differences == []


@pytest.mark.parametrize("concurrency", [1, 2])
def test_an_empty_page_before_others_is_no_end(read: Read, concurrency: int) -> None:
    """Its rows are hidden from the account, say; the API states that more follow."""

    def serve(query: dict[str, str]) -> Body:
        page = int(query["page"])
        return {"data": [] if page == 2 else rows((page - 1) * 10, 10), "pages": 3}

    result = read({**NUMBER, "total_path": "pages"}, serve, concurrency=concurrency)
    assert result.ids == [*range(10), *range(20, 25)]


def test_pages_that_are_stated_but_never_come_are_a_difference(read: Read) -> None:
    serve = lambda query: {**by_number()(query), "more": True}  # noqa: E731
    result = read({**NUMBER, "has_more_path": "more"}, serve)
    assert result.is_whole
    assert result.requests == 6
    assert "there are more pages, but 3 in a row were empty" in result.totals.differences[0]


# kind -> what an API writes in the place of a link or a cursor for 'that was all'
NOTHING = [None, "", " ", False, 0, [], {}, "null", "None", "false", "undefined"]


@pytest.mark.parametrize("nothing", [*NOTHING, "missing"])
@pytest.mark.parametrize(
    "paginator",
    [
        {"type": "json_link", "next_url_path": "meta.next"},
        {"type": "cursor", "cursor_path": "meta.next", "cursor_param": "page"},
    ],
)
def test_every_way_to_name_no_next_page(read: Read, paginator: Any, nothing: Any) -> None:
    def serve(query: dict[str, str]) -> Body:
        page = int(query.get("page", 1))
        link = f"/entries?page={page + 1}" if paginator["type"] == "json_link" else str(page + 1)
        meta = {"next": link if page < 3 else nothing}
        return {
            "data": rows((page - 1) * 10, 10),
            "meta": {} if meta["next"] == "missing" else meta,
        }

    result = read(paginator, serve)
    assert result.is_whole
    assert result.requests == 3


@pytest.mark.parametrize("relation", ['rel="next"', "rel=next", 'rel="Next"', 'rel="last next"'])
@pytest.mark.parametrize("end", [{}, {"Link": '<>; rel="next"'}, {"Link": '</x>; rel="prev"'}])
def test_links_in_headers_go_by_any_case(read: Read, relation: str, end: dict[str, str]) -> None:
    def serve(query: dict[str, str]) -> Any:
        page = int(query.get("page", 1))
        more = {"Link": f"</entries?page={page + 1}>; {relation}"}
        return 200, more if page < 3 else end, {"data": rows((page - 1) * 10, 10)}

    assert read("header_link", serve).is_whole


@pytest.mark.parametrize("nothing", ["", " ", "null", "0"])
def test_a_cursor_in_a_header_ends(read: Read, nothing: str) -> None:
    paginator = {"type": "header_cursor", "cursor_key": "X-Next", "cursor_param": "page"}

    def serve(query: dict[str, str]) -> Any:
        page = int(query.get("page", 1))
        following = str(page + 1) if page < 3 else nothing
        return 200, {"X-Next": following}, {"data": rows((page - 1) * 10, 10)}

    if nothing == "0":
        nothing = "null"
    assert read(paginator, serve).is_whole


def test_a_cursor_that_stays_ends_with_an_empty_page(read: Read) -> None:
    """A scroll has one id for all its pages."""
    calls: list[int] = []

    def serve(query: dict[str, str]) -> Body:
        calls.append(1)
        return {"data": rows((len(calls) - 1) * 10, 10), "next": f"scroll-{min(len(calls), 3)}"}

    paginator = {"type": "cursor", "cursor_path": "next", "cursor_param": "after"}
    assert read(paginator, serve).is_whole


MORE = [(True, False), (1, 0), ("1", "0"), ("true", "false"), ("yes", "no"), (True, None),
        (True, "missing"), ("/entries?page=2", "")]  # fmt: skip


@pytest.mark.parametrize(("yes", "no"), MORE)
def test_every_way_to_state_that_there_is_more(read: Read, yes: Any, no: Any) -> None:
    def serve(query: dict[str, str]) -> Body:
        page = int(query["page"])
        more = yes if page < 3 else no
        stated = {} if more == "missing" else {"more": more}
        return {"data": rows((page - 1) * 10, 10), **stated}

    assert read({**NUMBER, "has_more_path": "more"}, serve).is_whole


@pytest.mark.parametrize("total", [None, "missing", "", -1, "3", 3.0])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_way_to_state_a_total(read: Read, total: Any, concurrency: int) -> None:
    stated = {} if total == "missing" else {"pages": total}
    paginator = {**NUMBER, "total_path": "pages"}
    result = read(paginator, by_number(**stated), concurrency=concurrency)
    assert result.is_whole
    assert result.totals.differences == []


@pytest.mark.parametrize("status", [204, 404, 410, 416])
@pytest.mark.parametrize("paginator", [NUMBER, OFFSET])
def test_nothing_after_the_last_page_is_an_end(read: Read, paginator: Any, status: int) -> None:
    def serve(query: dict[str, str]) -> Any:
        start = (int(query["page"]) - 1) * 10 if "page" in query else int(query["offset"])
        return {"data": rows(start, 10)} if start < COUNT else (status, {}, None)

    assert read(paginator, serve).is_whole


@pytest.mark.parametrize("status", [400, 404, 422])
def test_no_page_after_a_short_one_is_an_end(read: Read, status: int) -> None:
    serve = lambda query: (  # noqa: E731
        {"data": rows(0, COUNT)} if query["page"] == "1" else (status, {}, {"error": "no page"})
    )
    assert read(NUMBER, serve, page_size=100).is_whole


@pytest.mark.parametrize(
    ("status", "stated", "page"), [(404, 3, 2), (400, None, 2), (404, None, 1), (403, None, 2)]
)
def test_an_error_before_the_end_is_one(
    read: Read, refusal: Callable[..., Exception], status: int, stated: int | None, page: int
) -> None:
    """A page that the API promised, a limit to offsets, the first page, or a permission."""
    serve = lambda query: (  # noqa: E731
        by_number(pages=stated)(query) if int(query["page"]) < page else (status, {}, {})
    )
    error = refusal(lambda: read({**NUMBER, "total_path": "pages"}, serve))
    assert isinstance(error, ApiError)
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize(
    ("paginator", "body", "words"),
    [
        ({"type": "json_link", "next_url_path": "next"}, {"next": 2}, "no link at `next`, but the "
         "number 2. If that is the next page's number, say `paginator: {type: cursor, cursor_path: "
         "next, cursor_param: page}`."),
        ({"type": "json_link", "next_url_path": "next"}, {"next": {"href": "/entries?page=2"}},
         "an object with `href`. Say `next_url_path: next.href`."),
        ({"type": "json_link", "next_url_path": "next"}, {"next": True}, "but true."),
        ({"type": "json_link", "next_url_path": "next"}, {"next": ["/x"]}, "a list of 1."),
        ({"type": "cursor", "cursor_path": "next"}, {"next": {"id": 5}}, "no cursor at `next`"),
        ({"type": "cursor", "cursor_path": "next", "has_more_path": "more"}, {"more": True},
         "states at `more` that there is more, but has nothing at `next`"),
        ({**NUMBER, "total_path": "pages"}, {"pages": "many"}, "no number at `pages`"),
        ({**OFFSET, "total_path": "n"}, {"n": {"value": 25}}, "an object with `value`"),
    ],
)  # fmt: skip
def test_what_is_no_statement_is_an_error_in_words(
    read: Read, refusal: Callable[..., Exception], paginator: Any, body: Body, words: str
) -> None:
    error = refusal(lambda: read(paginator, lambda query: {"data": rows(0, 10), **body}))
    assert isinstance(error, AnswerError)
    assert str(error).startswith("hours/entries: page 1 (")
    assert words in str(error)
    assert not any(word in str(error) for word in ("msgspec", "Page(", "{'", "None", "Paginator"))
