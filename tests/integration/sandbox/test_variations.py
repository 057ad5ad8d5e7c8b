"""What other APIs do, as a client meets it when the sandbox does it."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from timetracking_assets.sandbox.remote_control import RemoteControl

Get = Callable[..., requests.Response]

PEOPLE = ("resource_management", "/people")
PROJECTS = ("project_management", "/v2/projects")
ENTRIES = ("time_tracking", "/v1/resource")


def test_offset_pages_are_capped_and_no_total_says_so(get: Get, control: RemoteControl) -> None:
    held = control.rows("time_tracking", "time_tracking_data")
    assert get(*ENTRIES, {"limit": 1000}).status_code == 400
    control.place_fault("cap", rows=20)
    for offset in (0, 1000):
        page = get(*ENTRIES, {"limit": 1000, "offset": offset}).json()["data"]
        assert page == held[offset : offset + 20]


def test_numbered_pages_are_capped_and_counted_as_given(get: Get, control: RemoteControl) -> None:
    held = control.rows("project_management", "projects")
    control.place_fault("cap", rows=5)
    second = get(*PROJECTS, {"page": 2, "items_per_page": 1000}).json()
    assert second["projects"] == held[5:10]
    assert second["paging"]["count_pages"] == -(-len(held) // 5)
    assert second["paging"]["count_items"] == len(held)


def test_totals_of_another_kind_or_none(get: Get, control: RemoteControl) -> None:
    plain = get(*PROJECTS).json()
    control.place_fault("total", api="project_management", times=1)
    assert get(*PROJECTS).json() == {
        **plain,
        "paging": {**plain["paging"], "count_pages": None, "count_items": None},
    }
    control.place_fault("total", missing=True)
    assert set(get(*PROJECTS).json()["paging"]) == {"items_per_page", "current_page"}
    answer = get(*PEOPLE)
    assert answer.json()["data"]
    assert not [name for name in answer.headers if name.lower().endswith("-count")]


@pytest.mark.parametrize("last", [None, "", False, 0, 7, {}, {"href": None}])
def test_links_to_the_next_page_up_to_a_value(get: Get, control: RemoteControl, last: Any) -> None:
    held = control.rows("resource_management", "people")
    control.place_fault("link", value=last)
    size = len(held) // 2
    answer = get(*PEOPLE, {"per-page": size})
    rows, links = answer.json()["data"], []
    while isinstance(following := answer.json()["next"], str) and following:
        links.append(following)
        answer = get(*PEOPLE, dict(part.split("=") for part in following.split("?")[1].split("&")))
        rows += answer.json()["data"]
    assert rows == held
    assert len(links) == -(-len(held) // size) - 1
    assert answer.json()["next"] == last


def test_links_of_another_scheme_and_without_the_key(get: Get, control: RemoteControl) -> None:
    control.place_fault("link", scheme="https")
    following = get(*ENTRIES, {"limit": 10}).json()["next"]
    assert following.startswith("https://")
    assert following.endswith("/v1/resource?limit=10&offset=10")


def test_rows_in_a_map(get: Get, control: RemoteControl) -> None:
    held = control.rows("project_management", "projects")
    control.place_fault("map", times=1)
    answer = get(*PROJECTS, {"items_per_page": 10}).json()
    assert answer["projects"] == {str(row["id"]): row for row in held[:10]}
    assert answer["paging"]["count_items"] == len(held)
    control.place_fault("map", keeps_key=False)
    answer = get(*PROJECTS, {"items_per_page": 1}).json()
    assert answer["projects"] == {
        str(held[0]["id"]): {name: value for name, value in held[0].items() if name != "id"}
    }


def test_a_window_of_local_days(get: Get, control: RemoteControl) -> None:
    [row, *_] = control.rows("workspace_time", "time_entries")
    late = {**row, "id": 1, "start": "2026-01-10T23:30:00+00:00"}
    control.replace("workspace_time", "time_entries", [late])
    path = ("workspace_time", "/v1/me/time_entries")
    day = {"start_date": "2026-01-10", "end_date": "2026-01-11"}
    assert get(*path, day).json()["data"] == [late]
    control.place_fault("local_days", timezone="Europe/Berlin")
    assert get(*path, day).json()["data"] == []
    day = {"start_date": "2026-01-11", "end_date": "2026-01-12"}
    assert get(*path, day).json()["data"] == [late]


def test_nothing_yet(get: Get, control: RemoteControl) -> None:
    control.place_fault("empty", times=2)
    answer = get(*PEOPLE)
    assert (answer.json(), answer.headers["X-Pagination-Total-Count"]) == ({"data": []}, "0")
    assert get(*PROJECTS).json()["paging"]["count_items"] == 0
    assert get(*PEOPLE).json()["data"]


def test_rows_that_go_and_come_between_two_pages(get: Get, control: RemoteControl) -> None:
    people = ("resource_management", "people")
    held = control.rows(*people)
    control.place_fault(
        "edit",
        api=people[0],
        resource=people[1],
        query=r"\bpage=2\b",
        times=1,
        delete=[held[0]["id"]],
        upsert=[{"id": held[1]["id"], "name": "Ada"}, {"id": 10**6}],
    )
    first, second = (get(*PEOPLE, {"page": page, "per-page": 3}).json()["data"] for page in (1, 2))
    assert [row["id"] for row in first] == [row["id"] for row in held[:3]]
    # the fourth row has moved to the page already read
    assert [row["id"] for row in second] == [row["id"] for row in held[4:7]]
    now = control.rows(*people)
    assert (now[0]["name"], now[-1]["id"], len(now)) == ("Ada", 10**6, len(held))
    assert get(*PEOPLE, {"page": 2, "per-page": 3}).json()["data"] == second


@pytest.mark.parametrize("kind", ["total", "link", "map", "empty"])
def test_an_error_stays_as_it_is(get: Get, control: RemoteControl, kind: str) -> None:
    plain = get(*ENTRIES, {"limit": 0})
    control.place_fault(kind)
    assert (get(*ENTRIES, {"limit": 0}).json(), plain.status_code) == (plain.json(), 400)
