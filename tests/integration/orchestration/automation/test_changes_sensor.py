"""Ticks of the changes sensor: what is requested, what is loaded because of it, and once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from timetracking_assets.spec.api import Automation
from timetracking_assets.spec.automation import ProbeSpec
from timetracking_assets.spec.window import PartitionsSpec

if TYPE_CHECKING:
    from tests.support.platform import OfApi
    from tests.support.sensors import Sensor
    from timetracking_assets.sandbox.remote_control import RemoteControl

Day = Callable[[int], str]
ENTRIES = "workspace_time/time_entries"
ABSENCES = "project_management/absences"
MakeSensor = Callable[..., "Sensor"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """`impatient()` lets time pass until every probe is due again."""
    import timetracking_assets.orchestration.automation.changes_sensor as module

    def forward() -> None:
        shift = getattr(forward, "shift", timedelta()) + timedelta(minutes=16)
        forward.shift = shift  # type: ignore[attr-defined]

        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.now(tz) + shift

        monkeypatch.setattr(module, "datetime", Clock)

    return forward


def _paths(control: RemoteControl) -> list[str]:
    return [request["path"].rpartition("/")[2] for request in control.requests()]


def test_changes(
    of_api: OfApi, make: MakeSensor, control: RemoteControl, impatient: Callable[[], None]
) -> None:
    """One request a resource; a run if something is new; a second look finds nothing."""
    platform = of_api("project_management")
    assert platform.materialize("project_management/projects", "project_management/customers").green
    year = str(datetime.now(UTC).year)
    assert platform.materialize(ABSENCES, partition=year).green
    sensor = make(platform, "project_management_changes")
    control.clear_requests()
    assert sensor.ranges() == {}
    assert sorted(_paths(control)) == ["absences", "customers", "projects"]
    asked = {request["path"].rpartition("/")[2]: request for request in control.requests()}
    assert ["items_per_page", "1"] in [list(pair) for pair in asked["projects"]["query"]]

    # not due yet: nothing is asked
    control.clear_requests()
    assert sensor.ranges() == {}
    assert _paths(control) == []

    absence = next(
        row
        for row in control.rows("project_management", "absences")
        if str(row["date_since"]).startswith(year)
    )
    control.edit("project_management", "absences", upsert=[{"id": absence["id"], "note": "moved"}])
    customer = control.rows("project_management", "customers")[0]
    control.edit("project_management", "customers", upsert=[{**customer, "id": 987_654}])
    expected = {ABSENCES: (year, year), "project_management/customers": (None, None)}
    impatient()
    assert sensor.ranges() == expected
    # the load failed, or never began: it is asked for again
    control.place_fault("status", status=403, path="/customers$")
    assert not platform.materialize("project_management/customers").succeeded
    control.clear_faults()
    impatient()
    assert sensor.ranges() == expected
    assert platform.materialize("project_management/customers").green
    assert platform.materialize(ABSENCES, partition=year).green
    impatient()
    assert sensor.ranges() == {}


def test_changes_of_the_running_day(
    of_api: OfApi,
    make: MakeSensor,
    control: RemoteControl,
    impatient: Callable[[], None],
) -> None:
    """An API that is asked for changes: each is found once, and lands in the running day."""
    # midnight may pass in between
    now = datetime.now(UTC)
    start, yesterday, today = (f"{now - timedelta(days=back):%Y-%m-%d}" for back in (2, 1, 0))
    days = PartitionsSpec(type="daily", start=start, current=True)
    upkeep = Automation(probe=ProbeSpec(), lookback=1)
    platform = of_api("project_management", entries={"partitions": days, "automation": upkeep})
    assert platform.materialize("project_management/entries", days=(start, today)).green
    sensor = make(platform, "project_management_changes")
    sensor.tick()
    entry = control.rows("project_management", "entries")[0]
    changed = {"id": entry["id"], "time_last_change": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    control.edit("project_management", "entries", upsert=[changed])
    impatient()
    first, last = sensor.ranges()["project_management/entries"]
    assert first in (start, yesterday)
    assert str(last) >= today
    loaded = platform.materialize("project_management/entries", days=(start, today))
    assert loaded.metadata["project_management/entries"]["rows_inserted"] == 1
    impatient()
    assert "project_management/entries" not in sensor.ranges()


def test_what_was_never_loaded_is_loaded(of_api: OfApi, make: MakeSensor) -> None:
    platform = of_api("workspace_time")
    sensor = make(platform, "workspace_time_changes")
    assert list(sensor.ranges()) == [ENTRIES]


def test_a_probe_that_fails(
    of_api: OfApi,
    make: MakeSensor,
    control: RemoteControl,
    settings: dict[str, str],
    impatient: Callable[[], None],
) -> None:
    """The others are probed all the same; it is asked again with the next tick; no secret shows."""
    key = settings["PROJECT_MANAGEMENT_API_KEY"]
    sensor = make(of_api("project_management"), "project_management_changes")
    control.place_fault("status", status=500, body=f"broken for {key}", path="/projects$", times=1)
    ran = sensor.ranges()
    assert set(ran) == {ABSENCES, "project_management/customers"}
    assert "projects" not in str(sensor.cursor)
    assert list(sensor.ranges()) == ["project_management/projects"]

    control.place_fault("status", status=500, body=f"broken for {key}")
    impatient()
    with pytest.raises(Exception, match="HTTP 500") as caught:
        sensor.tick()
    assert key not in str(caught.value)
    assert key not in str(caught.value.__cause__)
    # what happened and what to do, for each, and no stack of dlt's
    assert "Traceback" not in str(caught.value)
    assert str(caught.value).count("HTTP 500") == 3
    # one request for each: a probe is not repeated
    control.clear_requests()
    with pytest.raises(Exception, match="HTTP 500"):
        sensor.tick()
    assert len(_paths(control)) == 3
