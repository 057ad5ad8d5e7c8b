"""Iterators side by side give everything, errors too; parts of a list cover each page once."""

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from dlt.sources.rest_api.config_setup import create_paginator

from timetracking_assets.ingest.pages.parallel import PageRanges, side_by_side


def counting(name: str, length: int) -> Iterator[tuple[str, int]]:
    for number in range(length):
        yield name, number


def failing() -> Iterator[tuple[str, int]]:
    yield "f", 0
    raise ValueError("broken")


@pytest.mark.parametrize("ahead", [1, 3, 100])
@pytest.mark.parametrize("lengths", [[], [0], [5], [7, 0, 30]])
def test_all_items_come_each_lane_in_its_order(lengths: list[int], ahead: int) -> None:
    lanes = [counting(str(lane), length) for lane, length in enumerate(lengths)]
    found = list(side_by_side(lanes, ahead))
    for lane, length in enumerate(lengths):
        assert [number for name, number in found if name == str(lane)] == list(range(length))
    assert len(found) == sum(lengths)


def test_lanes_run_at_the_same_time() -> None:
    """Each waits for the other: one after the other they would wait for ever."""
    both = threading.Barrier(2, timeout=10)

    def lane() -> Iterator[int]:
        both.wait()
        yield 1

    assert list(side_by_side([lane(), lane()], 1)) == [1, 1]


def test_an_error_of_a_lane_ends_all() -> None:
    before = set(threading.enumerate())
    with pytest.raises(ValueError, match="broken"):
        list(side_by_side([failing(), counting("endless", 10**9)], 2))
    assert set(threading.enumerate()) <= before


def test_nothing_runs_on_after_closing() -> None:
    before = set(threading.enumerate())
    with closing(side_by_side([counting("a", 10**9), counting("b", 10**9)], 2)) as pages:
        next(pages)
    assert set(threading.enumerate()) <= before


NUMBER = {"type": "page_number", "base_page": 1, "page_param": "n", "total_path": "paging.count"}
FROM_ZERO = {"type": "page_number", "base_page": 0, "page_param": "n", "total_path": "total"}
LATER = {"type": "page_number", "base_page": 1, "page": 3, "page_param": "n", "total_path": "total"}
OFFSET = {"type": "offset", "limit": 10, "offset_param": "n", "total_path": "total"}


def requested(config: dict[str, Any], total: int) -> list[int]:
    """What dlt puts into its requests with a paginator, each answer having rows."""
    paginator: Any = create_paginator(config)  # type: ignore[arg-type]
    request = requests.Request("GET", "http://api.example", params={})
    answer = requests.Response()
    answer.json = lambda **_: envelope(total)  # type: ignore[method-assign]
    paginator.init_request(request)
    found = []
    while paginator.has_next_page:
        paginator.update_request(request)
        found.append(request.params["n"])
        paginator.update_state(answer, [1])
    return found


def envelope(total: int) -> dict[str, Any]:
    return {"total": total, "paging": {"count": total}}


@pytest.mark.parametrize("config", [NUMBER, FROM_ZERO, LATER, OFFSET])
@pytest.mark.parametrize("total", [1, 2, 3, 4, 7, 10, 11, 95, 100, 101])
@pytest.mark.parametrize("lanes", [1, 2, 4, 32])
def test_each_page_is_requested_once(config: dict[str, Any], total: int, lanes: int) -> None:
    ranges = PageRanges.of(config)
    assert ranges is not None
    first = requested(ranges.first_page, total)
    whole = requested(config, total)
    following = whole[0] + config.get("limit", 1)
    assert ranges.count(total, following) == len(whole)
    others = ranges.others(total, following, lanes) if len(whole) > 1 else []
    assert len(others) <= lanes
    parts = [requested(part, total) for part in others]
    assert all(parts)
    assert [page for part in [first, *parts] for page in part] == whole


def test_parts_follow_the_rows_that_the_first_page_gave() -> None:
    """10 were requested, 4 came: each page begins after the rows of the one before."""
    ranges = PageRanges.of(OFFSET)
    assert ranges is not None
    starts = [part["offset"] for part in ranges.others(30, 4, 3)]
    assert starts == [4, 12, 20]


def test_without_a_total_the_rest_is_one_part() -> None:
    ranges = PageRanges.of(OFFSET)
    assert ranges is not None
    assert ranges.others(None, 10, 4) == [{**OFFSET, "offset": 10, "maximum_offset": None}]


@pytest.mark.parametrize(
    "config",
    [
        "single_page",
        "header_link",
        {"type": "cursor", "cursor_path": "next"},
        {**NUMBER, "total_path": None},
        {**NUMBER, "maximum_page": 7},
        {**OFFSET, "maximum_offset": 70},
    ],
)
def test_a_list_whose_length_is_not_known_is_one_part(config: Any) -> None:
    assert PageRanges.of(config) is None
