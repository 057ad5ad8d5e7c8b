"""Queries and answers in the forms of other APIs."""

from typing import Any

import pytest

from timetracking_assets.sandbox.variations import (
    capped_query,
    following_query,
    headers_with_totals,
    local_days_query,
    map_of_rows,
    next_link,
    rows_of,
    with_rows,
    with_totals,
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("offset=0&limit=1000", "offset=0&limit=20"),
        ("page=2&per-page=5", "page=2&per-page=5"),
        ("page=2", "page=2"),
        ("limit=many", "limit=many"),
    ],
)
def test_a_page_size_has_an_upper_bound(query: str, expected: str) -> None:
    assert capped_query(query, 20) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("start_date=2026-01-05", "start_date=2026-01-04T23%3A00%3A00Z"),
        ("start_date=2026-07-05", "start_date=2026-07-04T22%3A00%3A00Z"),
        ("modified_since=2026-01-05T00:00:00Z", "modified_since=2026-01-04T23%3A00%3A00Z"),
        # 00:30 of the next day in Berlin
        ("end=2026-01-05T23:30:00Z", "end=2026-01-05T23%3A00%3A00Z"),
        ("start=yesterday&page=1", "start=yesterday&page=1"),
    ],
)
def test_bounds_are_days_of_a_zone(query: str, expected: str) -> None:
    assert local_days_query(query, "Europe/Berlin") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("page=2&per-page=5", "page=3&per-page=5"),
        ("per-page=5", "per-page=5&page=2"),
        ("offset=200&limit=100", "offset=300&limit=100"),
        ("api_key=secret&limit=100", "limit=100&offset=100"),
    ],
)
def test_the_query_of_the_next_page(query: str, expected: str) -> None:
    assert following_query(query, 100) == expected


def test_a_link_has_the_scheme_that_is_given() -> None:
    assert next_link("https://a.example/x", "page=2", None) == "https://a.example/x?page=2"
    assert next_link("https://a.example/x", "page=2", "http") == "http://a.example/x?page=2"


def test_rows_are_an_answers_list_or_the_answer_itself() -> None:
    answer = {"paging": {"count_pages": 1}, "projects": [1, 2]}
    assert rows_of(answer) == rows_of([1, 2]) == [1, 2]
    assert rows_of({"id": 1}) == []
    assert with_rows(answer, []) == {"paging": {"count_pages": 1}, "projects": []}
    assert with_rows([1, 2], [1]) == [1]


def test_rows_below_their_keys() -> None:
    rows: list[dict[str, Any]] = [{"id": 7, "name": "a"}]
    assert map_of_rows(rows, "id", keeps_key=True) == {"7": {"id": 7, "name": "a"}}
    assert map_of_rows(rows, "id", keeps_key=False) == {"7": {"name": "a"}}


def test_totals_in_a_body_and_in_headers() -> None:
    answer = {"paging": {"count_pages": 3, "current_page": 1}, "projects": [{"count_pages": 9}]}
    assert with_totals(answer, None, missing=False) == {
        "paging": {"count_pages": None, "current_page": 1},
        "projects": [{"count_pages": 9}],
    }
    assert with_totals(answer, None, missing=True)["paging"] == {"current_page": 1}
    headers = [(b"X-Pagination-Total-Count", b"3"), (b"content-type", b"application/json")]
    assert headers_with_totals(headers, None, missing=True) == headers[1:]
    assert headers_with_totals(headers, None, missing=False)[0][1] == b""
