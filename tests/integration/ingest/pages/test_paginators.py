"""Every way of paging that dlt knows, and those that only a header or a page's length tells.

No page is missing, and what is requested beyond them is counted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from dlt.sources.rest_api.config_setup import PAGINATOR_MAP

from tests.support.vendors import RefusalError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.ingest.pages.rest_api import validate
from timetracking_assets.spec.resolve import resolve

if TYPE_CHECKING:
    from tests.support.vendors import Request, Serve

ROWS = [{"id": n} for n in range(1, 26)]
SIZE = 10


def answer(request: Request) -> tuple[Any, dict[str, str]]:
    """Ten rows a page; each path has a way of its own to say what is next."""
    way = request.path.strip("/")
    number = int((request.body or {}).get("page") or request.query.get("page") or 1)
    if way == "repeats":
        number = min(number, 3)
    start = int(request.query.get("at", (number - 1) * SIZE))
    rows = ROWS[start : start + SIZE]
    following = str(number + 1) if number < 3 else None
    url = f"/{way}?page={following}"
    host = request.headers["host"]
    if way == "gone" and not rows:
        raise RefusalError(404, "no such page")
    if way in ("json_link", "json_response"):
        return {"rows": rows, "next": f"http://{host}{url}" if following else None}, {}
    if way == "cursor":
        return {"rows": rows, "meta": {"next": following}}, {}
    if way == "header_link":
        return rows, {"Link": f'<http://{host}{url}>; rel="next"'} if following else {}
    if way == "header_cursor":
        return rows, {"X-Next": following} if following else {}
    if way == "object":
        return {"id": 1}, {}
    counted = {
        "X-Pages": "3",
        "X-Total": str(len(ROWS)),
        "X-More": "true" if following else "false",
    }
    return rows, counted


# path -> paginator, other keys, requests in vain
WAYS: dict[str, tuple[Any, dict[str, Any], int]] = {
    "json_link": ({"type": "json_link", "next_url_path": "next"}, {"data_selector": "rows"}, 0),
    "json_response": (
        {"type": "json_response", "next_url_path": "next"},
        {"data_selector": "rows"},
        0,
    ),
    "cursor": (
        {"type": "cursor", "cursor_path": "meta.next", "cursor_param": "page"},
        {"data_selector": "rows"},
        0,
    ),
    "header_link": ("header_link", {}, 0),
    "header_cursor": (
        {"type": "header_cursor", "cursor_key": "X-Next", "cursor_param": "page"},
        {},
        0,
    ),
    "total_pages": (
        {"type": "page_number", "base_page": 1, "total_path": "headers.x-pages"},
        {},
        0,
    ),
    "has_more": (
        {
            "type": "page_number",
            "base_page": 1,
            "total_path": None,
            "has_more_path": "headers.x-more",
        },
        {},
        0,
    ),
    "offset": (
        {"type": "offset", "limit": 10, "offset_param": "at", "total_path": "headers.x-total"},
        {},
        0,
    ),
    "short": ({"type": "page_number", "base_page": 1, "total_path": None}, {"page_size": 10}, 0),
    "offset_short": (
        {"type": "offset", "limit": 10, "offset_param": "at", "total_path": None},
        {"page_size": 10},
        0,
    ),
    "offset_empty": (
        {"type": "offset", "limit": 10, "offset_param": "at", "total_path": None},
        {},
        1,
    ),
    "empty": ({"type": "page_number", "base_page": 1, "total_path": None}, {}, 1),
    "gone": ({"type": "page_number", "base_page": 1, "total_path": None}, {}, 1),
    "repeats": (
        {"type": "page_number", "base_page": 1, "total_path": None},
        {"repeated_page": "stop"},
        1,
    ),
    "post": (
        {"type": "page_number", "base_page": 1, "page_body_path": "page", "total_path": None},
        {"page_size": 10, "method": "POST", "json": {"filter": "all"}},
        0,
    ),
    "object": ("single_page", {}, 0),
}


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("way", WAYS)
def test_every_page_comes_once(way: str, concurrency: int, serve: Serve) -> None:
    vendor = serve(answer)
    paginator, keys, in_vain = WAYS[way]
    ours = {key: value for key, value in keys.items() if key in ("page_size", "repeated_page")}
    endpoint = {
        "path": way,
        "paginator": paginator,
        "data_selector": "$",
        **{key: value for key, value in keys.items() if key not in ours},
    }
    api = resolve(
        {
            "name": "paged",
            "client": {"base_url": "${URL}"},
            "concurrency": concurrency,
            "resources": [{"name": "rows", "primary_key": "id", "endpoint": endpoint, **ours}],
        }
    )
    validate(api)
    connection = Connection(api, {"URL": vendor.url})
    stats = RequestStats()
    with open_pages(connection, api.resources["rows"], stats) as pages:
        found = [json.loads(bytes(row)) for page in pages for row in page.rows]
    # pages whose number is known come side by side
    assert sorted(found, key=lambda row: row["id"]) == (ROWS if way != "object" else [{"id": 1}])
    asked = [repr((request.path, request.query, request.body)) for request in vendor.requests]
    assert len(asked) == len(set(asked)) == stats.requests
    needed = -(-len(found) // SIZE)
    assert len(asked) - needed == stats.requests_in_vain == in_vain


def test_every_paginator_of_dlt_is_tried() -> None:
    tried = {way if isinstance(way, str) else way["type"] for way, _, _ in WAYS.values()}
    # refused, as dlt would guess from the answer
    assert tried == set(PAGINATOR_MAP) - {"auto"}
