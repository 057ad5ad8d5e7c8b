"""Windows are half-open and compare instants; years overlap."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.remote_control import RemoteControl

Get = Callable[..., requests.Response]


@pytest.fixture
def entries_path(get: Get, sandbox: SandboxServer) -> str:
    """Path of the time entries of one analytics user."""
    workspace = sandbox.environment["TIME_ANALYTICS_WORKSPACE_IDS"].split(",")[0]
    user = get("time_analytics", f"/v1/workspaces/{workspace}/users").json()["data"][0]["id"]
    return f"/v1/workspaces/{workspace}/user/{user}/time-entries"


def ids(answer: requests.Response, name: str = "data") -> list[Any]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()[name]]


def test_entries_by_last_change(get: Get, control: RemoteControl) -> None:
    control.replace(
        "project_management",
        "entries",
        [
            {"id": 1, "time_last_change": "2026-01-31T23:59:59Z"},
            {"id": 2, "time_last_change": "2026-02-01T00:00:00Z"},
            {"id": 3, "time_last_change": "2026-02-01T23:59:59Z"},
            {"id": 4, "time_last_change": "2026-02-02T00:00:00Z"},
            {"id": 5, "time_last_change": None},
        ],
    )

    def read(**query: str) -> list[Any]:
        return ids(get("project_management", "/v2/entries", query), "entries")

    since, until = "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"
    assert read(time_last_change_since=since, time_last_change_until=until) == [2, 3]
    assert read(time_last_change_since=since) == [2, 3, 4]
    assert read(time_last_change_until=until) == [1, 2, 3]
    assert read() == [1, 2, 3, 4, 5]


def test_pages_are_of_the_filtered_entries(get: Get) -> None:
    query = {"time_last_change_since": "2026-01-26T00:00:00Z", "items_per_page": 2}
    paging = get("project_management", "/v2/entries", query).json()["paging"]
    assert 2 < paging["count_items"] < 100
    assert paging["count_pages"] == (paging["count_items"] + 1) // 2


def test_absences_are_of_every_year_that_they_touch(get: Get, control: RemoteControl) -> None:
    control.replace(
        "project_management",
        "absences",
        [
            {"id": 1, "date_since": "2024-12-28", "date_until": "2025-01-03"},
            {"id": 2, "date_since": "2025-01-01", "date_until": "2025-01-01"},
            {"id": 3, "date_since": "2024-12-31", "date_until": "2024-12-31"},
            {"id": 4, "date_since": "2023-06-01", "date_until": "2026-06-01"},
        ],
    )
    read = {
        year: ids(get("project_management", "/v2/absences", {"year": year}), "absences")
        for year in (2022, 2023, 2024, 2025, 2027)
    }
    assert read == {2022: [], 2023: [4], 2024: [1, 3, 4], 2025: [1, 2, 4], 2027: []}


def test_the_generated_turn_of_the_year_is_in_both_answers(get: Get) -> None:
    old, new = (
        set(ids(get("project_management", "/v2/absences", {"year": year}), "absences"))
        for year in (2024, 2025)
    )
    assert old & new


@pytest.mark.parametrize("year", [None, "", "24", "20244", "abcd"])
def test_absences_need_a_year(get: Get, year: str | None) -> None:
    query = {} if year is None else {"year": year}
    answer = get("project_management", "/v2/absences", query)
    assert answer.status_code == 400
    assert "'year'" in answer.json()["error"]["message"]


def test_absences_have_no_pages(get: Get) -> None:
    whole = get("project_management", "/v2/absences", {"year": 2025}).json()
    page = get("project_management", "/v2/absences", {"year": 2025, "page": 2}).json()
    assert whole == page
    assert whole.keys() == {"absences"}


WORK_IN_TWO_ZONES = [
    {"id": 1, "start": "2026-01-01T23:30:00+00:00"},
    {"id": 2, "start": "2026-01-02T00:30:00+01:00"},
    {"id": 3, "start": "2026-01-02T00:00:00+00:00"},
    {"id": 4, "start": "2026-01-02T01:00:00+01:00"},
    {"id": 5, "start": "2026-01-03T00:30:00+01:00"},
    {"id": 6, "start": "2026-01-03T00:00:00+00:00"},
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"start_date": "2026-01-02", "end_date": "2026-01-03"}, [3, 4, 5]),
        ({"start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-03"}, [3, 4, 5]),
        ({"start_date": "2026-01-02T00:00:00+01:00", "end_date": "2026-01-02"}, [1, 2]),
        ({"start_date": "2026-01-03"}, [6]),
        ({"end_date": "2026-01-02"}, [1, 2]),
        ({"start_date": "2026-01-02T00:00:00.5Z", "end_date": "2026-01-03"}, [5]),
        ({"start_date": "2026-01-03", "end_date": "2026-01-02"}, []),
    ],
)
def test_time_entries_by_start(
    get: Get, control: RemoteControl, query: dict[str, str], expected: list[int]
) -> None:
    control.replace("workspace_time", "time_entries", WORK_IN_TWO_ZONES)
    assert ids(get("workspace_time", "/v1/me/time_entries", query)) == expected


def test_logged_time_modified_since(get: Get, control: RemoteControl) -> None:
    control.replace(
        "resource_management",
        "logged_time",
        [
            {"id": 1, "modified": "2026-01-01T09:59:59Z"},
            {"id": 2, "modified": "2026-01-01T10:00:00Z"},
            {"id": 3, "modified": "2026-02-01T00:00:00Z"},
        ],
    )
    query = {"modified_since": "2026-01-01T10:00:00Z"}
    answer = get("resource_management", "/logged-time", query)
    assert ids(answer) == [2, 3]
    assert answer.headers["X-Pagination-Total-Count"] == "2"


def test_other_lists_know_no_modified_since(get: Get) -> None:
    query = {"modified_since": "2026-02-01T10:00:00Z"}
    assert len(ids(get("resource_management", "/people", query))) == 14


def test_analytics_entries_by_start_of_their_interval(
    get: Get, control: RemoteControl, entries_path: str
) -> None:
    first = control.rows("time_analytics", "time_entries")[0]
    times = ["2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z", "2026-01-02T23:00:00Z"]
    times.append("2026-01-03T00:00:00Z")
    rows = [
        {"id": number, "userId": first["userId"], "timeInterval": {"start": start}}
        for number, start in enumerate(times)
    ]
    user = entries_path.split("/")[-2]
    control.replace("time_analytics", "time_entries", [{**row, "userId": user} for row in rows])
    query = {"start": "2026-01-02T00:00:00Z", "end": "2026-01-03T00:00:00Z"}
    assert ids(get("time_analytics", entries_path, query)) == [1, 2]
    assert ids(get("time_analytics", entries_path, {"start": query["end"]})) == [3]
    assert ids(get("time_analytics", entries_path, {"end": query["start"]})) == [0]


@pytest.mark.parametrize(
    ("api", "path", "query"),
    [
        ("project_management", "/v2/entries", {"time_last_change_since": "2026-01-01"}),
        ("project_management", "/v2/entries", {"time_last_change_until": "2026-13-01T00:00:00Z"}),
        (
            "project_management",
            "/v2/entries",
            {"time_last_change_since": "2026-01-01T00:00:00+00:00"},
        ),
        ("workspace_time", "/v1/me/time_entries", {"start_date": "2026-01-01T00:00:00"}),
        ("workspace_time", "/v1/me/time_entries", {"end_date": "1767225600"}),
        ("workspace_time", "/v1/me/time_entries", {"end_date": "2026-01-01T00:00:00 01:00"}),
        ("resource_management", "/logged-time", {"modified_since": "2026-01-01 00:00:00"}),
        ("resource_management", "/logged-time", {"modified_since": ""}),
    ],
)
def test_times_written_otherwise_are_refused(
    get: Get, api: str, path: str, query: dict[str, str]
) -> None:
    answer = get(api, path, query)
    assert answer.status_code == 400
    (name,) = query
    assert f"'{name}' must be written" in answer.json()["error"]["message"]
