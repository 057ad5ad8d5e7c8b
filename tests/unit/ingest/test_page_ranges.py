"""Parts of a list cover each page once, as dlt's own paginators count them."""

from typing import Any

import pytest
import requests
from dlt.sources.rest_api.config_setup import create_paginator

from timetracking_assets.ingest.pages.parallel import PageRanges

NUMBER = {"type": "page_number", "base_page": 1, "page_param": "n", "total_path": "paging.count"}
FROM_ZERO = {"type": "page_number", "base_page": 0, "page_param": "n", "total_path": "total"}
LATER = {"type": "page_number", "base_page": 1, "page": 3, "page_param": "n", "total_path": "total"}
OFFSET = {"type": "offset", "limit": 10, "offset_param": "n", "total_path": "total"}


def asked(config: dict[str, Any], total: int) -> list[int]:
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
def test_each_page_is_asked_for_once(config: dict[str, Any], total: int, lanes: int) -> None:
    ranges = PageRanges.of(config)
    assert ranges is not None
    first = asked(ranges.first_page, total)
    others = ranges.others(envelope(total), lanes)
    assert len(others) <= lanes
    parts = [asked(part, total) for part in others]
    assert all(parts)
    assert [page for part in [first, *parts] for page in part] == asked(config, total)
    assert ranges.count(envelope(total)) == len(asked(config, total))


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
