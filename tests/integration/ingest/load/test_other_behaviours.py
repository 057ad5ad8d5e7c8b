"""Loads of APIs that do not do what the five do: every row, or a check that fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
import yaml

from tests.support.code_locations import shared_definitions
from tests.support.platform import Platform
from timetracking_assets.component import load_api
from timetracking_assets.orchestration.assets import build_api_definitions

if TYPE_CHECKING:
    from timetracking_assets.sandbox.remote_control import RemoteControl

Connect = Callable[..., Platform]

HOURS = ("time_tracking", "time_tracking_data")
PLANS = ("resource_management", "tasks")
ENTRIES = ("workspace_time", "time_entries")
PROJECTS = ("project_management", "projects")


@pytest.fixture
def connect(instance: dg.DagsterInstance, settings: dict[str, str]) -> Connect:
    """`connect(api, resource, changes)`: the platform with that resource alone, changed."""

    def build(name: str, resource: str, changes: str = "{}") -> Platform:
        own: dict[str, Any] = {
            "name": name,
            "extends": name,
            "select": [resource],
            "resources": [{"name": resource, **yaml.safe_load(changes)}],
        }
        api = load_api(own, None, dg.ResolutionContext.default())
        return Platform(
            dg.Definitions.merge(build_api_definitions(api), shared_definitions()),
            instance,
            Path(settings["DAGSTER_HOME"]),
            Path(settings["TIMETRACKING_WAREHOUSE"]),
        )

    return build


def every_row(platform: Platform, api: str, resource: str, control: RemoteControl) -> None:
    """Load, and compare with what the API holds."""
    outcome = platform.materialize(f"{api}/{resource}")
    assert outcome.green, (outcome.failures, outcome.checks)
    held = sorted(row["id"] for row in control.rows(api, resource))
    assert platform.keys(f"{api}.{resource}") == held


SMALL = "{page_size: 50, endpoint: {params: {per-page: 50}}}"
COUNTED = """
page_size: 50
endpoint:
  params: {per-page: 50}
  paginator: {total_path: headers.x-pagination-page-count}
"""
BY_SIZE = """
endpoint: {paginator: {limit: 1000}}
page_size: 1000
"""


@pytest.mark.parametrize(
    ("api", "resource", "changes", "rows"),
    [
        (*HOURS, "{}", 20),
        (*HOURS, BY_SIZE, 100),
        (*HOURS, "{page_size: null}", 30),
        (*PLANS, "{}", 60),
        (*PLANS, "{total: null}", 60),
        (*PLANS, COUNTED, 20),
        (*PROJECTS, "{}", 5),
    ],
)
def test_capped_pages(
    connect: Connect, control: RemoteControl, api: str, resource: str, changes: str, rows: int
) -> None:
    control.place_fault("cap", rows=rows)
    every_row(connect(api, resource, changes), api, resource, control)


@pytest.mark.parametrize("fields", [{}, {"missing": True}])
@pytest.mark.parametrize(
    ("api", "resource", "changes"),
    [(*PLANS, SMALL), (*PLANS, COUNTED), (*PROJECTS, "{endpoint: {params: {items_per_page: 5}}}")],
)
def test_totals_that_are_not_stated(
    connect: Connect,
    control: RemoteControl,
    api: str,
    resource: str,
    changes: str,
    fields: dict[str, Any],
) -> None:
    control.place_fault("total", **fields)
    every_row(connect(api, resource, changes), api, resource, control)


def test_a_total_that_differs_from_the_rows_fails_a_check(
    connect: Connect, control: RemoteControl
) -> None:
    control.place_fault("total", value=7)
    outcome = connect(*PLANS).materialize("/".join(PLANS))
    assert not outcome.checks["/".join(PLANS)]["rows_reconciled"].passed


LINKS = """
page_size: null
total: null
endpoint: {params: {per-page: 200}, paginator: {type: json_link, next_url_path: next}}
"""


@pytest.mark.parametrize("last", [None, "", False, 0, {}])
def test_links_up_to_a_value_that_is_none(
    connect: Connect, control: RemoteControl, last: Any
) -> None:
    control.place_fault("link", value=last)
    every_row(connect(*PLANS, LINKS), *PLANS, control)


@pytest.mark.parametrize(
    ("last", "words"), [(7, "but the number 7"), ({"href": "/"}, "but an object with `href`")]
)
def test_what_is_no_link_is_one_plain_message(
    connect: Connect, control: RemoteControl, last: Any, words: str
) -> None:
    control.place_fault("link", value=last)
    platform = connect(*PLANS, LINKS)
    outcome = platform.materialize("/".join(PLANS))
    message = outcome.failures["/".join(PLANS)]
    assert words in message
    assert not {"Envelope", "Page(", "msgspec", "Traceback"} & set(message.split())
    assert not platform.tables()


IN_A_MAP = """
endpoint: {data_selector: projects.*, params: {items_per_page: 5}}
outer_fields: {key: projects.*}
"""


def test_rows_in_a_map(connect: Connect, control: RemoteControl) -> None:
    control.place_fault("map")
    platform = connect(*PROJECTS, IN_A_MAP)
    every_row(platform, *PROJECTS, control)
    rows = platform.sql("SELECT id, key FROM project_management.projects")
    assert all(str(number) == key for number, key in rows)


def test_rows_in_a_map_whose_keys_are_theirs_alone(
    connect: Connect, control: RemoteControl
) -> None:
    control.place_fault("map", keeps_key=False)
    own = "primary_key: key\ncolumns: {id: null, key: {data_type: text, nullable: false}}"
    platform = connect(*PROJECTS, f"{IN_A_MAP}{own}")
    outcome = platform.materialize("/".join(PROJECTS))
    assert outcome.green, (outcome.failures, outcome.checks)
    held = sorted(str(row["id"]) for row in control.rows(*PROJECTS))
    assert platform.keys("project_management.projects", "key") == held


ACCOUNT_ZONE = "Pacific/Auckland"
BY_DAY = """
partitions: {timezone: null}
window: {field: start, start_param: start_date, end_param: end_date, format: date}
"""


@pytest.mark.parametrize("zone", ["", f", timezone: {ACCOUNT_ZONE}"])
def test_local_days(connect: Connect, control: RemoteControl, first_day: date, zone: str) -> None:
    [row, *_] = control.rows(*ENTRIES)
    hours = range(0, 72, 3)
    rows = [
        {**row, "id": n, "start": f"{first_day + timedelta(n // 24)}T{n % 24:02}:30:00Z"}
        for n in hours
    ]
    control.replace(*ENTRIES, rows)
    control.place_fault("local_days", timezone=ACCOUNT_ZONE)
    platform = connect(*ENTRIES, BY_DAY.replace("format: date", f"format: date{zone}"))
    for day in (0, 1, 2, 0):
        partition = (first_day + timedelta(day)).isoformat()
        outcome = platform.materialize("/".join(ENTRIES), partition=partition)
        assert outcome.green, (outcome.failures, outcome.checks)
    assert platform.keys("workspace_time.time_entries") == list(hours)


@pytest.mark.parametrize(("api", "resource"), [HOURS, PLANS])
def test_nothing_yet_then_rows(
    connect: Connect, control: RemoteControl, api: str, resource: str
) -> None:
    platform = connect(api, resource)
    control.place_fault("empty")
    outcome = platform.materialize(f"{api}/{resource}")
    assert outcome.green, (outcome.failures, outcome.checks)
    assert platform.keys(f"{api}.{resource}") == []
    control.clear_faults()
    every_row(platform, api, resource, control)


@pytest.mark.parametrize(
    ("changes", "noticed"),
    [
        (SMALL, {"times_shifted": 1}),
        (f"{SMALL[:-1]}, total: null}}", {"rows_missed": 1, "confirmation_requests": 1}),
    ],
)
def test_a_list_that_shifts_hides_no_row(
    connect: Connect, control: RemoteControl, changes: str, noticed: dict[str, int]
) -> None:
    platform = connect(*PLANS, changes)
    every_row(platform, *PLANS, control)
    held = [row["id"] for row in control.rows(*PLANS)]
    control.place_fault(
        "edit", api=PLANS[0], resource=PLANS[1], query=r"\bpage=2\b", times=1, delete=held[:1]
    )
    outcome = platform.materialize("/".join(PLANS))
    assert outcome.green, (outcome.failures, outcome.checks)
    metadata = outcome.metadata["/".join(PLANS)]
    assert noticed.items() <= metadata.items()
    # the row that went had been read; without a total, nothing says that it went
    expected = sorted(held[1:] if "times_shifted" in noticed else held)
    assert platform.keys(".".join(PLANS)) == expected
    control.clear_requests()
    outcome = platform.materialize("/".join(PLANS))
    assert platform.keys(".".join(PLANS)) == sorted(held[1:])
    assert outcome.metadata["/".join(PLANS)]["requests"] == len(control.requests())
