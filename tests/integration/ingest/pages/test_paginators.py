"""Every way of paging that dlt knows, and those that only a header or a page's length tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

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
    if "at" in request.query:
        number = int(request.query["at"]) // SIZE + 1
    if way == "repeats":
        number = min(number, 3)
    rows = ROWS[(number - 1) * SIZE : number * SIZE]
    following = str(number + 1) if number < 3 else None
    url = f"/{way}?page={following}"
    host = request.headers["host"]
    if way == "json_link":
        return {"rows": rows, "next": f"http://{host}{url}" if following else None}, {}
    if way == "cursor":
        return {"rows": rows, "meta": {"next": following}}, {}
    if way == "header_link":
        return rows, {"Link": f'<http://{host}{url}>; rel="next"'} if following else {}
    if way == "header_cursor":
        return rows, {"X-Next": following} if following else {}
    if way == "object":
        return {"id": 1}, {}
    counted = {"X-Pages": "3", "X-Total": "25", "X-More": "true" if following else "false"}
    return rows, counted


# path -> paginator, other keys, requests that it takes
WAYS: dict[str, tuple[Any, dict[str, Any], int]] = {
    "json_link": ({"type": "json_link", "next_url_path": "next"}, {"data_selector": "rows"}, 3),
    "cursor": (
        {"type": "cursor", "cursor_path": "meta.next", "cursor_param": "page"},
        {"data_selector": "rows"},
        3,
    ),
    "header_link": ("header_link", {}, 3),
    "header_cursor": (
        {"type": "header_cursor", "cursor_key": "X-Next", "cursor_param": "page"},
        {},
        3,
    ),
    "total_pages": (
        {"type": "page_number", "base_page": 1, "total_path": "headers.x-pages"},
        {},
        3,
    ),
    "has_more": (
        {
            "type": "page_number",
            "base_page": 1,
            "total_path": None,
            "has_more_path": "headers.x-more",
        },
        {},
        3,
    ),
    "offset": (
        {"type": "offset", "limit": 10, "offset_param": "at", "total_path": "headers.x-total"},
        {},
        3,
    ),
    "short": ({"type": "page_number", "base_page": 1, "total_path": None}, {"page_size": 10}, 3),
    "empty": ({"type": "page_number", "base_page": 1, "total_path": None}, {}, 4),
    "repeats": (
        {"type": "page_number", "base_page": 1, "total_path": None},
        {"repeated_page": "stop"},
        4,
    ),
    "post": (
        {"type": "page_number", "base_page": 1, "page_body_path": "page", "total_path": None},
        {"page_size": 10, "method": "POST", "json": {"filter": "all"}},
        3,
    ),
    "object": ("single_page", {}, 1),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_page_comes_once(way: str, serve: Serve) -> None:
    vendor = serve(answer)
    paginator, keys, requests = WAYS[way]
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
            "resources": [{"name": "rows", "primary_key": "id", "endpoint": endpoint, **ours}],
        }
    )
    validate(api)
    connection = Connection(api, {"URL": vendor.url})
    with open_pages(connection, api.resources["rows"], RequestStats()) as pages:
        found = [json.loads(bytes(row)) for page in pages for row in page.rows]
    # pages whose number is known come side by side
    assert sorted(found, key=lambda row: row["id"]) == (ROWS if way != "object" else [{"id": 1}])
    assert len(vendor.requests) == requests
