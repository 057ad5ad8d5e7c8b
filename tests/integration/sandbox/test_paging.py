"""Pages at their boundaries, and page parameters that make no sense."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.remote_control import RemoteControl

Get = Callable[..., requests.Response]


def test_offset_and_limit(get: Get, control: RemoteControl) -> None:
    held = control.rows("time_tracking", "time_tracking_data")

    def read(**query: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = get("time_tracking", "/v1/resource", query).json()["data"]
        return rows

    assert read() == held[:100]
    assert read(offset=100) == held[100:200]
    assert read(offset=7, limit=3) == held[7:10]
    assert read(offset=len(held) - 1) == held[-1:]
    assert read(offset=len(held)) == []
    assert get("time_tracking", "/v1/resource").json().keys() == {"data"}


def test_the_paging_block_counts_pages_and_items(get: Get, control: RemoteControl) -> None:
    held = control.rows("project_management", "projects")

    def read(**query: int) -> dict[str, Any]:
        answer: dict[str, Any] = get("project_management", "/v2/projects", query).json()
        return answer

    assert read()["paging"] == {
        "items_per_page": 1000,
        "current_page": 1,
        "count_pages": 1,
        "count_items": 16,
    }
    # Sixteen rows: exactly two pages of eight, three of seven.
    assert read(items_per_page=8)["paging"]["count_pages"] == 2
    assert read(items_per_page=7)["paging"]["count_pages"] == 3
    assert read(items_per_page=7, page=3)["projects"] == held[14:]
    past = read(items_per_page=7, page=4)
    assert (past["paging"]["current_page"], past["projects"]) == (4, [])


def test_an_empty_list_has_one_page(get: Get, control: RemoteControl) -> None:
    control.replace("project_management", "customers", [])
    answer = get("project_management", "/v2/customers").json()
    assert answer == {
        "paging": {"items_per_page": 1000, "current_page": 1, "count_pages": 1, "count_items": 0},
        "customers": [],
    }


@pytest.mark.parametrize(
    ("query", "rows", "headers"),
    [
        ({}, slice(0, 50), ("200", "4", "1")),
        ({"per-page": 200}, slice(0, 200), ("200", "1", "1")),
        ({"per-page": 200, "page": 2}, slice(200, None), ("200", "1", "2")),
        ({"per-page": 199, "page": 2}, slice(199, None), ("200", "2", "2")),
    ],
)
def test_totals_in_headers(
    get: Get,
    control: RemoteControl,
    query: dict[str, int],
    rows: slice,
    headers: tuple[str, str, str],
) -> None:
    held = control.rows("resource_management", "project_tasks")
    answer = get("resource_management", "/project-tasks", query)
    assert answer.json() == {"data": held[rows]}
    names = ("Total-Count", "Page-Count", "Current-Page")
    assert tuple(answer.headers[f"X-Pagination-{name}"] for name in names) == headers


def test_tasks_of_a_workspace_end_short_or_empty(get: Get, sandbox: SandboxServer) -> None:
    workspaces = sandbox.environment["WORKSPACE_TIME_WORKSPACE_IDS"].split(",")
    lengths = {
        workspace: [
            len(
                get("workspace_time", f"/v1/workspaces/{workspace}/tasks", {"page": number}).json()[
                    "data"
                ]
            )
            for number in (1, 2, 3, 4)
        ]
        for workspace in workspaces
    }
    assert list(lengths.values()) == [[50, 50, 20, 0], [50, 0, 0, 0], [7, 0, 0, 0]]


def test_a_full_only_page_of_entries(get: Get, sandbox: SandboxServer) -> None:
    workspace = sandbox.environment["TIME_ANALYTICS_WORKSPACE_IDS"].split(",")[0]
    users = get("time_analytics", f"/v1/workspaces/{workspace}/users").json()["data"]
    lengths = []
    for user in users:
        path = f"/v1/workspaces/{workspace}/user/{user['id']}/time-entries"
        counts = [
            len(get("time_analytics", path, {"page": page}).json()["data"]) for page in (1, 2)
        ]
        lengths.append(counts)
    assert [50, 0] in lengths
    assert [0, 0] in lengths
    assert [50, 50] in lengths


@pytest.mark.parametrize(
    ("api", "path", "query", "message"),
    [
        ("time_tracking", "/v1/resource", {"limit": 101}, "1 to 100; it is '101'"),
        ("time_tracking", "/v1/resource", {"limit": 0}, "'limit' must be a whole number"),
        ("time_tracking", "/v1/resource", {"offset": -1}, "'offset' must be a whole number, 0 or"),
        ("project_management", "/v2/projects", {"page": 0}, "'page' must be a whole number, 1 or"),
        ("project_management", "/v2/projects", {"items_per_page": 1001}, "1 to 1000"),
        ("resource_management", "/people", {"per-page": 201}, "1 to 200"),
        ("resource_management", "/people", {"page": "two"}, "it is 'two'"),
        ("resource_management", "/people", {"page": ""}, "it is ''"),
        ("workspace_time", "/v1/workspaces/71001/tasks", {"per_page": 51}, "1 to 50"),
        ("time_analytics", "/v1/workspaces/{0}/users", {"page-size": 51}, "1 to 50"),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    get: Get, sandbox: SandboxServer, api: str, path: str, query: dict[str, Any], message: str
) -> None:
    workspaces = sandbox.environment["TIME_ANALYTICS_WORKSPACE_IDS"].split(",")
    answer = get(api, path.format(*workspaces), query)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
