"""Ticks of schedules: which runs they ask for, from a real instance, at a given time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.automation.build import build_automation
from timetracking_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG
from timetracking_assets.orchestration.resources import WAREHOUSE
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.resolve import resolve

if TYPE_CHECKING:
    from tests.support.platform import Platform

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def _ranges(
    definitions: dg.Definitions, name: str, instance: dg.DagsterInstance, at: datetime
) -> dict[tuple[str, ...], tuple[str, str]]:
    """Names of the assets -> first and last partition, for each run that a tick asks for."""
    tick = _tick(definitions, name, instance, at)
    return {
        tuple(key.path[1] for key in request.asset_selection or []): (
            request.tags.get(RANGE_START_TAG, ""),
            request.tags.get(RANGE_END_TAG, ""),
        )
        for request in tick.run_requests or []
    }


def _tick(
    definitions: dg.Definitions, name: str, instance: dg.DagsterInstance, at: datetime
) -> Any:
    repository = definitions.get_repository_def()
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at, repository_def=repository
    )
    return repository.get_schedule_def(name).evaluate_tick(context)


def _resource(name: str, kind: str, start: str, **given: Any) -> dict[str, Any]:
    return {
        "name": name,
        "endpoint": {"path": name},
        "sync_mode": "window",
        "partitions": {"type": kind, "start": start, **given.pop("partitions", {})},
        "window": {"field": "day", "start_param": "from"},
        "columns": {"day": {"data_type": "date", "nullable": False}},
        **given,
    }


def _api(*resources: dict[str, Any], **given: Any) -> Api:
    return resolve(
        {
            "name": "hours",
            "client": {"base_url": "${HOURS_BASE_URL}"},
            "resource_defaults": {
                "primary_key": "id",
                "endpoint": {"data_selector": "data", "paginator": "single_page"},
            },
            "resources": list(resources),
            **given,
        }
    )


def _definitions(api: Api) -> dg.Definitions:
    warehouse = dg.Definitions(resources={WAREHOUSE: dg.ResourceDefinition.none_resource()})
    return dg.Definitions.merge(build_api_definitions(api), build_automation(api), warehouse)


def test_the_shipped_schedules(definitions: dg.Definitions) -> None:
    """All are there, named after API and kind, and off; but for the one that loads nothing."""
    schedules = list(definitions.get_repository_def().schedule_defs)
    [retention] = [item for item in schedules if item.name == "retention_schedule"]
    assert retention.default_status == dg.DefaultScheduleStatus.RUNNING
    schedules.remove(retention)
    assert sorted(schedule.name for schedule in schedules) == [
        "project_management_daily",
        "project_management_full_reread",
        "project_management_snapshot",
        "project_management_yearly",
        "resource_management_daily",
        "resource_management_snapshot",
        "time_analytics_daily",
        "time_analytics_full_reread",
        "time_analytics_snapshot",
        "time_tracking_snapshot",
        "workspace_time_daily",
        "workspace_time_full_reread",
        "workspace_time_snapshot",
    ]
    assert {schedule.default_status for schedule in schedules} == {dg.DefaultScheduleStatus.STOPPED}
    for schedule in schedules:
        tags = definitions.resolve_job_def(schedule.job_name).run_tags
        assert schedule.name == f"{tags['timetracking/api']}_{tags['timetracking/kind']}"


def test_each_asset_is_loaded_by_one_schedule(definitions: dg.Definitions) -> None:
    loaded = [
        key
        for schedule in definitions.get_repository_def().schedule_defs
        if not schedule.name.endswith("full_reread")
        for key in definitions.resolve_job_def(schedule.job_name).asset_layer.executable_asset_keys
    ]
    assert len(loaded) == len(set(loaded)) == 36


def test_ranges_of_a_tick(instance: dg.DagsterInstance) -> None:
    """Assets of other partitions or another range can't share a run; all others do."""
    tokyo = {"timezone": "Asia/Tokyo"}
    definitions = _definitions(
        _api(
            _resource("entries", "daily", "2026-03-01", lookback=2),
            _resource("plans", "daily", "2026-03-01", lookback=2),
            _resource("far", "daily", "2026-03-01", lookback=2, partitions=tokyo),
            _resource("young", "daily", "2026-03-09"),
            _resource("absences", "yearly", "2024", full_reread="monthly"),
            _resource("audits", "daily", "2026-01-01", full_reread="monthly"),
            _resource("own", "daily", "2026-03-01", schedule="0 1 * * *"),
        )
    )
    late = NOON + timedelta(hours=6)
    assert _ranges(definitions, "hours_daily", instance, late) == {
        ("entries", "plans"): ("2026-03-07", "2026-03-09"),
        # there it is the 11th already
        ("far",): ("2026-03-08", "2026-03-10"),
        ("young",): ("2026-03-09", "2026-03-09"),
        ("audits",): ("2026-03-09", "2026-03-09"),
    }
    assert _ranges(definitions, "hours_daily_own", instance, late) == {
        ("own",): ("2026-03-09", "2026-03-09")
    }
    assert _ranges(definitions, "hours_yearly", instance, late) == {("absences",): ("2026", "2026")}
    january = datetime(2026, 1, 31, tzinfo=UTC)
    assert _ranges(definitions, "hours_yearly", instance, january) == {
        ("absences",): ("2025", "2026")
    }
    assert _ranges(definitions, "hours_full_reread", instance, late) == {
        ("absences",): ("2024", "2026"),
        ("audits",): ("2026-01-01", "2026-03-09"),
    }
    # before the first day has ended
    early = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert "No partition" in (_tick(definitions, "hours_daily_own", instance, early).skip_message)


def test_a_tick_catches_up(platform: Platform, today: date, day_of: Callable[[int], str]) -> None:
    """After days without a load the range begins with the first of them, not with the lookback."""
    name, entries = "project_management_daily", "project_management/entries"
    now = datetime.combine(today, time(12), UTC)
    yesterday, before = day_of(9), day_of(8)
    assert _ranges(platform.definitions, name, platform.instance, now) == {
        ("entries",): (before, yesterday)
    }
    assert platform.materialize(entries, days=(day_of(3), day_of(5))).green
    assert _ranges(platform.definitions, name, platform.instance, now) == {
        ("entries",): (day_of(6), yesterday)
    }


def test_a_run_that_is_not_done_is_not_doubled(
    definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    name = "project_management_snapshot"
    run = instance.create_run_for_job(
        definitions.resolve_job_def(name), status=dg.DagsterRunStatus.STARTED
    )
    tick = _tick(definitions, name, instance, NOON)
    assert not tick.run_requests
    assert "not ended" in tick.skip_message
    instance.delete_run(run.run_id)
    assert _ranges(definitions, name, instance, NOON) == {("projects", "customers"): ("", "")}


@pytest.mark.parametrize(
    ("variable", "running", "expected"),
    [("", False, False), ("", True, True), ("on", False, True), ("off", True, False)],
)
def test_switched_on_by_a_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, running: bool, expected: bool
) -> None:
    monkeypatch.setenv("TIMETRACKING_AUTOMATION", variable)
    api = _api(_resource("entries", "daily", "2026-03-01"), schedule={"running": running})
    statuses = {item.default_status for item in build_automation(api).schedules or []}
    on = dg.DefaultScheduleStatus.RUNNING if expected else dg.DefaultScheduleStatus.STOPPED
    assert statuses == {on}


def test_a_setting_that_is_neither_on_nor_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMETRACKING_AUTOMATION", "yes please")
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="`on` or `off`"):
        build_automation(_api(_resource("entries", "daily", "2026-03-01")))
