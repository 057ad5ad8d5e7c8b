"""What an answer looks like, whatever its file says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from timetracking_assets.doctor.shapes import (
    MISSING,
    at,
    best_place,
    counters,
    flat,
    instant_of,
    limit_headers,
    map_place,
    possible_keys,
    time_format,
)


@pytest.mark.parametrize(
    ("selector", "value"),
    [("$", {"a": {"b": [1]}}), ("a.b", [1]), ("a.c", MISSING), ("a.b.c", MISSING)],
)
def test_a_selector_leads_to_a_value_or_to_nothing(selector: str, value: Any) -> None:
    assert at({"a": {"b": [1]}}, selector) == value


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([{"id": 1}], "$"),
        ({"data": [{"id": 1}]}, "data"),
        ({"result": {"rows": [{"id": 1}], "links": []}}, "result.rows"),
        # the longest list holds the rows, whatever the others are called
        ({"data": [{"id": 1}], "included": [{"id": 2}, {"id": 3}]}, "included"),
        # of equals the outermost
        ({"a": {"b": [{"id": 1}]}, "c": [{"id": 1}]}, "c"),
        ({"data": None, "page": 1}, "data"),
        ({"data": [], "error": None}, "data"),
        ({"ids": [1, 2]}, None),
        ("text", None),
    ],
)
def test_the_rows_are_in_the_likeliest_place(body: Any, place: str | None) -> None:
    assert best_place(body) == place


def test_objects_are_flattened_as_columns_are_named() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": [2]}}) == {"a__b__c": 1, "a__d": [2]}


@pytest.mark.parametrize(
    ("rows", "keys"),
    [
        ([{"name": "x", "id": 1}, {"name": "y", "id": 2}], ["id"]),
        ([{"entry_id": 1, "id": 2}, {"entry_id": 2, "id": 3}], ["id", "entry_id"]),
        ([{"name": "x", "n": 1}, {"name": "y", "n": 1}], ["name"]),
        # neither a time, nor a truth value, nor a list identifies a row
        ([{"at": "2026-01-01", "ok": True}, {"at": "2026-01-02", "ok": False}], []),
        ([{"x": [1]}, {"x": [2]}], []),
        ([{"id": 1}, {"id": 1}], []),
        ([{"id": 1}, {}], []),
    ],
)  # fmt: skip
def test_a_key_has_another_value_in_each_row(rows: list[Any], keys: list[str]) -> None:
    assert possible_keys(rows) == keys


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2026-02-03", "date"),
        ("2026-02-31", None),
        ("2026-02-03T04:05:06Z", "iso"),
        ("2026-02-03 04:05:06.7+0100", "iso"),
        ("2026-02-03T04:05:06", "local"),
        ("2026-02-03 04:05", "local"),
        (1_770_000_000, "unix_seconds"),
        (1_770_000_000_000, "unix_milliseconds"),
        (999_999_999, None),
        (True, None),
        ("tomorrow", None),
        (None, None),
    ],
)
def test_how_a_time_is_written(value: Any, kind: str | None) -> None:
    assert time_format(value) == kind


@pytest.mark.parametrize(
    ("body", "headers", "kind", "where"),
    [
        ({"data": [], "paging": {"count_pages": 3}}, {}, "total pages", "paging.count_pages"),
        ({"data": [], "last_page": 3}, {}, "total pages", "last_page"),
        ([], {"X-Total-Count": "7"}, "total rows", "headers.x-total-count"),
        ({"data": [], "meta": {"hasMore": True}}, {}, "has more", "meta.hasMore"),
        ({"data": [], "next_cursor": "abc"}, {}, "next cursor", "next_cursor"),
        ({"data": [], "links": {"next": "/2"}}, {}, "next link", "links.next"),
        ([], {"link": '</2>; rel="next"'}, "next link", "headers.link"),
    ],
)
def test_what_tells_of_further_pages(
    body: Any, headers: dict[str, str], kind: str, where: str
) -> None:
    assert counters(body, "data" if isinstance(body, dict) else "$", headers)[kind][0] == where


def test_a_quota_is_no_count_of_rows_and_rows_hold_no_counts() -> None:
    assert counters([], "$", {"x-ratelimit-total": "9"}) == {}
    assert counters({"data": {"total": 4}}, "data", {}) == {}
    headers = {"x-ratelimit-remaining": "9", "Retry-After": "1", "date": "today"}
    assert limit_headers(headers).keys() == {"x-ratelimit-remaining", "Retry-After"}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"results": {"tasks": {"11": {"id": 11}, "12": {"id": 12}}}}, "results.tasks"),
        ({"7": {"a": 1}, "8": {"b": 2}}, "$"),
        ({"days": {"2026-01-01": [{"h": 1}], "2026-01-02": []}}, "days"),
        ({"ada": {"h": 1}, "bob": {"h": 2}}, "$"),
        ({"data": [{"id": 1}], "meta": {"page": 1}}, None),
        ({"user": {"id": 1, "name": "x"}, "team": {"id": 2}}, None),
        ({"id": 1}, None),
        ([], None),
    ],
)
def test_rows_below_keys_are_seen(body: Any, place: str | None) -> None:
    assert map_place(body) == place


def test_a_star_leads_to_what_lies_below_each_key() -> None:
    tasks = {"tasks": {"11": {"id": 11}, "12": {"id": 12}}}
    assert at(tasks, "tasks.*") == [{"id": 11}, {"id": 12}]
    groups = {"groups": [{"rows": [{"x": 1}]}, {"rows": None}, {}, {"rows": [{"x": 2}]}]}
    assert at(groups, "groups[*].rows") == [{"x": 1}, {"x": 2}]
    assert at({"tasks": 5}, "tasks.*") is MISSING


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-03T03:05:06Z",
        "2026-02-03T04:05:06+01:00",
        "2026-02-03 04:05:06",
        1770087906,
        1770087906000,
    ],
)
def test_the_instant_of_a_time(value: Any) -> None:
    assert instant_of(value, "Europe/Berlin") == datetime(2026, 2, 3, 3, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "2026-02-03", "2026-02-33T00:00:00Z", 12, True, {}])
def test_what_is_no_instant(value: Any) -> None:
    assert instant_of(value, "UTC") is None
