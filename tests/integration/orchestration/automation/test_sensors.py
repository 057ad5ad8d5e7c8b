"""Ticks of sensors against the sandbox: what is asked, what is loaded because of it, and once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from timetracking_assets.orchestration.automation.freshness import CHECK
from timetracking_assets.orchestration.check_history import latest_checks
from timetracking_assets.spec.api import Automation
from timetracking_assets.spec.automation import ProbeSpec
from timetracking_assets.spec.window import PartitionsSpec

if TYPE_CHECKING:
    from tests.support.platform import OfApi, Platform
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
    wanted = {ABSENCES: (year, year), "project_management/customers": (None, None)}
    impatient()
    assert sensor.ranges() == wanted
    # the load failed, or never began: it is asked for again
    control.place_fault("status", status=403, path="/customers$")
    assert not platform.materialize("project_management/customers").succeeded
    control.clear_faults()
    impatient()
    assert sensor.ranges() == wanted
    assert platform.materialize("project_management/customers").green
    assert platform.materialize(ABSENCES, partition=year).green
    impatient()
    assert sensor.ranges() == {}


def test_changes_of_the_running_day(
    of_api: OfApi,
    make: MakeSensor,
    control: RemoteControl,
    day_of: Day,
    impatient: Callable[[], None],
) -> None:
    """An API that is asked for changes: each is found once, and lands in the running day."""
    days = PartitionsSpec(type="daily", start=day_of(8), current=True)
    upkeep = Automation(probe=ProbeSpec(), lookback=1)
    platform = of_api("project_management", entries={"partitions": days, "automation": upkeep})
    today = str(datetime.now(UTC).date())
    assert platform.materialize("project_management/entries", days=(day_of(8), today)).green
    sensor = make(platform, "project_management_changes")
    sensor.tick()
    entry = control.rows("project_management", "entries")[0]
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    control.edit(
        "project_management", "entries", upsert=[{"id": entry["id"], "time_last_change": now}]
    )
    impatient()
    first, last = sensor.ranges()["project_management/entries"]
    assert first == day_of(8)
    assert str(last) >= today
    loaded = platform.materialize("project_management/entries", days=(day_of(8), today))
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


def test_late_edits(of_api: OfApi, make: MakeSensor, control: RemoteControl) -> None:
    """A year's answer speaks of rows that began in the year before: that year is loaded, once."""
    year = datetime.now(UTC).year
    rows = [
        {
            "id": number,
            "user_id": 1,
            "type": "vacation",
            "date_since": f"{year - back}-12-30" if back else f"{year}-02-01",
            "date_until": f"{year - back + 1}-01-02" if back else f"{year}-02-02",
        }
        for number, back in [(1, 0), (2, 1)]
    ]
    control.replace("project_management", "absences", rows)
    years = PartitionsSpec(type="yearly", start=str(year - 2))
    platform = of_api("project_management", absences={"partitions": years})
    sensor = make(platform, "project_management_late_edits")
    assert sensor.ranges() == {}
    assert platform.materialize(ABSENCES, partition=str(year)).green
    # the first load has no table to compare with
    assert sensor.ranges() == {}
    again = platform.materialize(ABSENCES, partition=str(year))
    assert again.metadata[ABSENCES]["late_days"] == [f"{year - 1}-12-30"]
    assert sensor.ranges() == {ABSENCES: (str(year - 1), str(year - 1))}
    assert sensor.ranges() == {}
    assert platform.materialize(ABSENCES, partition=str(year - 1)).green

    # it is stored now: nothing is late, until it is edited
    settled = platform.materialize(ABSENCES, partition=str(year))
    assert "late_days" not in settled.metadata[ABSENCES]
    assert sensor.ranges() == {}
    control.edit("project_management", "absences", upsert=[{"id": 2, "note": "longer"}])
    assert platform.materialize(ABSENCES, days=(str(year), str(year))).green
    assert sensor.ranges() == {ABSENCES: (str(year - 1), str(year - 1))}


def test_newest_partition(of_api: OfApi, make: MakeSensor, day_of: Day) -> None:
    """A backfilled old day leaves the asset overdue; its newest day makes it fresh."""
    platform = of_api("workspace_time")
    key = dg.AssetCheckKey(dg.AssetKey.from_user_string(ENTRIES), CHECK)
    sensor = make(platform, "workspace_time_freshness")
    sensor.tick()
    assert not _passed(platform, key)

    old = platform.materialize(ENTRIES, partition=day_of(2))
    assert old.succeeded
    assert not old.checks[ENTRIES][CHECK].passed
    newest = str(old.checks[ENTRIES][CHECK].metadata["newest_due_partition"].value)
    assert newest in (day_of(8), day_of(9))

    new = platform.materialize(ENTRIES, partition=newest)
    assert new.checks[ENTRIES][CHECK].passed
    before = _passed(platform, key)
    assert before
    # nothing has turned: nothing is reported
    sensor.tick()
    assert _passed(platform, key) == before


def _passed(platform: Platform, key: dg.AssetCheckKey) -> str:
    """When the check passed last; empty if its latest result is no pass."""
    record = latest_checks(platform.instance, [key]).get(key)
    return str(record.at) if record and record.result and record.result.passed else ""


def test_names_of_the_sensors(definitions: dg.Definitions) -> None:
    sensors = definitions.get_repository_def().sensor_defs
    by_api: dict[str, set[str]] = {}
    for sensor in sensors:
        if sensor.name == "health_report_after_runs":
            continue
        api = next(
            name
            for name in (
                "project_management",
                "resource_management",
                "time_analytics",
                "time_tracking",
                "workspace_time",
            )
            if sensor.name.startswith(f"{name}_")
        )
        by_api.setdefault(api, set()).add(sensor.name.removeprefix(f"{api}_"))
    every = {"changes", "late_edits", "freshness", "failures"}
    assert by_api == {
        "project_management": every,
        "workspace_time": every,
        "resource_management": every - {"late_edits"},
        "time_analytics": every - {"changes"},
        "time_tracking": {"failures"},
    }
    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.STOPPED}
