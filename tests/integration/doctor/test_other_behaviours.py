"""The doctor on APIs that do not do what their file expects: the sandbox plays them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest
import yaml

from timetracking_assets.component import load_api
from timetracking_assets.doctor.examination import examine
from timetracking_assets.doctor.findings import Finding
from timetracking_assets.sandbox.remote_control import RemoteControl

Found = Callable[..., dict[str, Finding]]


@pytest.fixture
def findings(settings: dict[str, str], today: date, control: RemoteControl) -> Found:
    """`findings(api, resource, changes)`: what is not ok, by topic. At most two requests."""

    def found(extends: str, resource: str, changes: str = "{}") -> dict[str, Finding]:
        own: dict[str, Any] = {
            "name": extends,
            "extends": extends,
            "select": [resource],
            "resources": [{"name": resource, **yaml.safe_load(changes)}],
        }
        control.clear_requests()
        api = load_api(own, None, dg.ResolutionContext.default())
        examination = examine(api, os.environ, today)
        assert len(control.requests()) == examination.requests <= 2
        every = [f for f in examination.findings[resource] if f.level != "ok"]
        assert len({f.topic for f in every}) == len(every), every
        return {f.topic: f for f in every}

    return found


HEALTHY = [
    ("time_tracking", "time_tracking_data"),
    ("project_management", "projects"),
    ("resource_management", "logged_time"),
    ("workspace_time", "time_entries"),
    ("time_analytics", "projects"),
]


@pytest.mark.parametrize(("api", "resource"), HEALTHY)
def test_nothing_is_found_where_nothing_differs(findings: Found, api: str, resource: str) -> None:
    found = findings(api, resource)
    assert not {"page size", "rows", "total", "window"} & set(found)
    assert not [f for f in found.values() if f.level == "error"]


def test_capped_pages_are_certain_where_a_total_is_stated(
    findings: Found, control: RemoteControl
) -> None:
    control.place_fault("cap", rows=50)
    found = findings("resource_management", "tasks")["page size"]
    assert "200 rows were requested, 50 came, and more follow" in found.message


def test_capped_pages_are_likely_where_no_total_is_stated(
    findings: Found, control: RemoteControl
) -> None:
    control.place_fault("cap", rows=20)
    found = findings("time_tracking", "time_tracking_data")["page size"]
    assert "100 rows were requested, 20 came: either the second page is the last" in found.message
    assert "page_size: 20" in (found.yaml or "")


def test_pages_capped_below_the_sample(findings: Found, control: RemoteControl) -> None:
    control.place_fault("cap", rows=4)
    found = findings("time_tracking", "time_tracking_data")["page size"]
    assert "10 rows were requested, 4 came, and more follow" in found.message


@pytest.fixture
def entries_at_the_ends(control: RemoteControl, today: date) -> None:
    """Time entries half an hour after the local midnights that begin and end the window."""
    [row, *_] = control.rows("workspace_time", "time_entries")
    first = today - timedelta(days=31)
    starts = [f"{first - timedelta(days=1)}T23:30:00Z", f"{today - timedelta(days=1)}T23:30:00Z"]
    rows = [{**row, "id": n, "start": start} for n, start in enumerate([*starts, row["start"]], 1)]
    control.replace("workspace_time", "time_entries", rows)


@pytest.mark.usefixtures("entries_at_the_ends")
def test_local_days_are_seen_by_rows_outside_of_the_window(
    findings: Found, control: RemoteControl
) -> None:
    # the same in summer and in winter
    control.place_fault("local_days", timezone="Africa/Lagos")
    found = findings("workspace_time", "time_entries")["window"]
    assert "by at most 31 minutes: the API means days of another zone" in found.message
    assert found.level == "advice"


@pytest.mark.usefixtures("entries_at_the_ends")
def test_days_of_no_stated_zone_are_seen_in_the_file(
    findings: Found, control: RemoteControl
) -> None:
    control.place_fault("local_days", timezone="Africa/Lagos")
    by_day = """
partitions: {timezone: null}
window: {field: start, start_param: start_date, end_param: end_date, format: date}
"""
    found = findings("workspace_time", "time_entries", by_day)["window"]
    assert "not which zone's days the API means" in found.message
    with_zone = by_day.replace("format: date", "format: date, timezone: Africa/Lagos")
    assert "window" not in findings("workspace_time", "time_entries", with_zone)


@pytest.mark.parametrize("fields", [{}, {"missing": True}, {"value": "many"}])
def test_a_total_that_is_no_number(
    findings: Found, control: RemoteControl, fields: dict[str, Any]
) -> None:
    control.place_fault("total", **fields)
    in_body = findings("project_management", "projects")
    assert "total_path: null" in (in_body["pages"].yaml or "")
    assert in_body["total"].yaml
    in_header = findings("resource_management", "logged_time")
    assert in_header["total"].level == ("error" if fields.get("value") else "advice")
    assert "X-Pagination-Total-Count" in in_header["total"].message


LINKS = "{page_size: null, endpoint: {paginator: {type: json_link, next_url_path: next}}}"


@pytest.mark.parametrize("last", [None, "", False, 0, {}])
def test_every_way_to_name_no_next_page(findings: Found, control: RemoteControl, last: Any) -> None:
    control.place_fault("link", value=last)
    for resource in ("roles", "logged_time"):
        found = findings("resource_management", resource, LINKS)
        assert not [f for f in found.values() if f.level == "error"]


@pytest.mark.parametrize(
    ("last", "words"), [(7, "but the number 7"), ({"href": None}, "but an object with `href`")]
)
def test_what_can_not_be_a_link_is_an_error(
    findings: Found, control: RemoteControl, last: Any, words: str
) -> None:
    control.place_fault("link", value=last)
    found = findings("resource_management", "roles", LINKS)["pages"]
    assert (found.level, words in found.message) == ("error", True), found


@pytest.mark.parametrize("keeps_key", [True, False])
def test_rows_in_a_map(findings: Found, control: RemoteControl, keeps_key: bool) -> None:
    control.place_fault("map", keeps_key=keeps_key)
    found = findings("project_management", "projects")["rows"]
    assert found.level == "error"
    assert yaml.safe_load(found.yaml or "") == {
        "endpoint": {"data_selector": "projects.*"},
        "outer_fields": {"key": "projects.*"},
    }


def test_nothing_yet(findings: Found, control: RemoteControl) -> None:
    control.place_fault("empty")
    found = findings("resource_management", "logged_time")
    assert {f.level for f in found.values()} == {"advice"}
    assert found["rows"].message == "none came: their shape is not judged"
