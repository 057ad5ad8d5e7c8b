"""A full sync asks for no more than it must: each page once, and none to see that there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from timetracking_assets.sandbox.catalog import KEYS

if TYPE_CHECKING:
    from tests.support.demo import Demo
    from tests.support.platform import Platform
    from timetracking_assets.sandbox import SandboxServer

pytestmark = pytest.mark.timeout(300)

Rows = list[dict[str, Any]]


def pages(size: int) -> Callable[[int], int]:
    """Where only a short page tells that it is the last."""
    return lambda rows: rows // size + 1


def pages_of_total(size: int) -> Callable[[int], int]:
    """Where the answer says how many pages there are."""
    return lambda rows: max(1, -(-rows // size))


LISTS: dict[tuple[str, str], Callable[[int], int]] = {
    ("time_tracking", "time_tracking_data"): pages(100),
    **{("project_management", name): pages_of_total(1000) for name in ("projects", "customers")},
    **{
        ("resource_management", name): pages(200)
        for name in KEYS["resource_management"]
        if name != "logged_time"
    },
}
FAN_OUTS: dict[tuple[str, str], tuple[Callable[[int], int], str, str]] = {
    # pages of a list, the rows' field that names the parent, and the parents
    ("workspace_time", "workspace_tasks"): (pages(50), "workspace_id", "workspace"),
    ("time_analytics", "tasks"): (pages(50), "projectId", "projects"),
}


@pytest.mark.parametrize(("api", "resource"), list(LISTS), ids=["/".join(pair) for pair in LISTS])
def test_a_list_takes_as_many_requests_as_it_has_pages(
    demo: Demo, sandbox: SandboxServer, api: str, resource: str
) -> None:
    rows = len(sandbox.control.rows(api, resource))
    assert requests_of(demo, api, resource) == LISTS[api, resource](rows)


MOST_CONFIRMED = 8


@pytest.mark.parametrize(("api", "resource"), list(FAN_OUTS))
def test_a_fan_out_asks_for_its_parents_lists_alone(
    demo: Demo, sandbox: SandboxServer, api: str, resource: str
) -> None:
    """The parents stand in their table; they are not asked for again."""
    count, field, parent = FAN_OUTS[api, resource]
    key = KEYS[api][parent]
    found = Counter(row[field] for row in sandbox.control.rows(api, resource))
    parents = [row[key] for row in sandbox.control.rows(api, parent)]
    pages = sum(count(found[one]) for one in parents)
    # and some more to see that nothing follows a short page, while no longer one came
    assert pages <= requests_of(demo, api, resource) <= pages + MOST_CONFIRMED


@pytest.mark.parametrize("resource", ["users", "projects", "clients", "tags", "user_groups"])
def test_a_short_list_of_a_workspace_takes_one_request_and_one_to_confirm_it(
    demo: Demo, sandbox: SandboxServer, resource: str
) -> None:
    assert len(sandbox.control.rows("time_analytics", resource)) < 50
    workspaces = sandbox.environment["TIME_ANALYTICS_WORKSPACE_IDS"].split(",")
    assert len(workspaces) == 2
    # of two equally long, or the longer one, it must be seen that the API does not cut pages off
    assert 3 <= requests_of(demo, "time_analytics", resource) <= 4


def requests_of(demo: Demo, api: str, resource: str) -> int:
    with demo.instance() as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey([api, resource]))
    assert event is not None
    assert event.asset_materialization is not None
    return int(event.asset_materialization.metadata["requests"].value)


def test_a_range_of_partitions_is_one_series_of_requests(
    platform: Platform, sandbox: SandboxServer, day_of: Callable[[int], str]
) -> None:
    """`modified_since` gives back all that came after: asked for each day, it would be squared."""
    outcome = platform.materialize("resource_management/logged_time", days=(day_of(0), day_of(5)))
    assert outcome.green
    log = sandbox.control.requests()
    [metadata] = outcome.metadata.values()
    assert len(log) == metadata["requests"]
    assert len({dict(request["query"])["modified_since"] for request in log}) == 1
    asked = [(request["path"], tuple(map(tuple, request["query"]))) for request in log]
    assert len(set(asked)) == len(asked)


def test_parents_without_a_table_are_asked_for_once(
    platform: Platform, sandbox: SandboxServer
) -> None:
    outcome = platform.materialize("time_analytics/tasks")
    assert outcome.green
    paths = Counter(
        (request["path"], dict(request["query"]).get("page"))
        for request in sandbox.control.requests()
    )
    assert set(paths.values()) == {1}
    assert sandbox.control.most_in_flight("time_analytics") <= 4
