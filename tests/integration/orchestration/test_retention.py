"""Retention: what goes after some days, and what never does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from timetracking_assets.health.event_log import INCIDENT_DAYS
from timetracking_assets.orchestration import retention
from timetracking_assets.orchestration.retention import keep_days

if TYPE_CHECKING:
    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

ROLES, ENTRIES = "resource_management/roles", "workspace_time/time_entries"
Day = Callable[[int], str]


def _retain(platform: Platform, monkeypatch: pytest.MonkeyPatch, days: str) -> dict[str, Any]:
    monkeypatch.setenv("TIMETRACKING_KEEP_DAYS", days)
    job = platform.definitions.resolve_job_def("retention")
    result = job.execute_in_process(instance=platform.instance)
    assert result.success
    [output] = [event for event in result.all_events if event.is_successful_output]
    metadata = output.step_output_data.metadata
    return {name: value.value for name, value in metadata.items()}


def _kept_runs(platform: Platform) -> set[str]:
    return {run.run_id for run in platform.instance.get_runs() if run.job_name != "retention"}


def _files(platform: Platform) -> set[str]:
    shards = (platform.home / "history" / "runs").glob("*.db")
    return {path.stem for path in shards} - {"index"}


@pytest.fixture
def old_runs(platform: Platform, control: RemoteControl, day_of: Day) -> dict[str, str]:
    """Loads of a snapshot and of days, a load that failed, and a run that is none of ours."""
    runs = {"replaced": platform.materialize(ROLES).run_id}
    control.edit("resource_management", "roles", upsert=[{"id": 1, "name": "changed"}])
    runs["snapshot"] = platform.materialize(ROLES).run_id
    runs["days"] = platform.materialize(ENTRIES, days=(day_of(1), day_of(4))).run_id
    runs["day"] = platform.materialize(ENTRIES, partition=day_of(2)).run_id

    @dg.asset
    def someone_elses() -> None: ...

    result = dg.materialize([someone_elses], instance=platform.instance)
    dg.materialize([someone_elses], instance=platform.instance)
    return {**runs, "other": result.run_id}


def test_what_nobody_needs_goes(
    platform: Platform, old_runs: dict[str, str], monkeypatch: pytest.MonkeyPatch, day_of: Day
) -> None:
    instance = platform.instance
    roles, entries = (dg.AssetKey.from_user_string(key) for key in (ROLES, ENTRIES))
    before = platform.sql("SELECT * FROM resource_management.roles ORDER BY id")
    known = [
        instance.get_materialized_partitions(entries),
        instance.get_latest_materialization_event(roles),
        instance.get_latest_materialization_event(entries),
    ]
    removed = _retain(platform, monkeypatch, "30")
    assert removed["runs"] == 0
    # a plan for each check of each partition, beside the result
    assert removed["plans_of_checks"] >= 4 + 1

    removed = _retain(platform, monkeypatch, "0.0000001")
    # the first load of the roles; the job's own run before
    assert removed["runs"] == 2
    assert removed["runs_of_steps"] == 3
    assert removed["notes_of_loads"] >= 1
    gone = old_runs.pop("replaced")
    assert _kept_runs(platform) & {gone, *old_runs.values()} == set(old_runs.values())
    assert _files(platform) & {gone, *old_runs.values()} == {old_runs["other"]}
    with closing(sqlite3.connect(platform.home / "history" / "runs" / "index.db")) as index:
        rows = "SELECT count(*) FROM asset_check_executions WHERE "
        assert index.execute(f"{rows} run_id = ?", [gone]).fetchone() == (0,)
        assert index.execute(f"{rows} execution_status = 'PLANNED'").fetchone() == (0,)

    # what anyone asks of it has the same answer
    assert known == [
        instance.get_materialized_partitions(entries),
        instance.get_latest_materialization_event(roles),
        instance.get_latest_materialization_event(entries),
    ]
    statuses = instance.get_status_by_partition(
        entries, [day_of(n) for n in range(1, 5)], _partitions(platform)
    )
    assert {str(status) for status in (statuses or {}).values()} == {
        "AssetPartitionStatus.MATERIALIZED"
    }
    check = platform.check(ROLES, names=["rows_reconciled"]).checks[ROLES]["rows_reconciled"]
    assert check.passed

    # dlt still restores its schema, and nothing is loaded that was there already
    again = platform.materialize(ROLES)
    assert again.green
    assert again.metadata[ROLES]["rows_unchanged"] == len(before)
    assert platform.sql("SELECT * FROM resource_management.roles ORDER BY id") == before
    for table in ("_dlt_version", "_dlt_loads", "_dlt_pipeline_state"):
        [(count,)] = platform.sql(f"SELECT count(*) FROM resource_management.{table}")
        assert count <= 2


def _partitions(platform: Platform) -> Any:
    key = dg.AssetKey.from_user_string(ENTRIES)
    return platform.definitions.resolve_asset_graph().get(key).partitions_def


def test_failed_runs_stay_as_long_as_the_health_page_shows_them(
    platform: Platform, control: RemoteControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert retention.DAYS >= INCIDENT_DAYS
    first = platform.materialize(ROLES)
    monkeypatch.setenv("RESOURCE_MANAGEMENT_API_TOKEN", "wrong")
    failed = platform.materialize(ROLES)
    assert not failed.succeeded
    _retain(platform, monkeypatch, "0.0000001")
    assert _kept_runs(platform) == {first.run_id, failed.run_id}
    # its last attempt is what tells why the table is old
    assert failed.run_id in _files(platform)
    monkeypatch.setattr(retention, "DAYS", 0.0000001)
    _retain(platform, monkeypatch, "0.0000001")
    assert _kept_runs(platform) == {first.run_id, failed.run_id}


def test_runs_of_others_go_where_a_setting_says_so(
    platform: Platform, old_runs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMETRACKING_KEEP_DAYS_OTHERS", "0.0000001")
    _retain(platform, monkeypatch, "30")
    kept = _kept_runs(platform)
    assert old_runs["other"] not in kept
    assert old_runs["replaced"] in kept


def test_off(platform: Platform, old_runs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(_retain(platform, monkeypatch, "off").values()) == {0}
    assert _kept_runs(platform) >= set(old_runs.values())


def test_the_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TIMETRACKING_KEEP_DAYS", raising=False)
    assert keep_days() == 90
    for value, days in {"7": 7, " 0.5 ": 0.5, "OFF": None}.items():
        monkeypatch.setenv("TIMETRACKING_KEEP_DAYS", value)
        assert keep_days() == days
    for value in ("0", "-1", "a week", "inf", "nan"):
        monkeypatch.setenv("TIMETRACKING_KEEP_DAYS", value)
        with pytest.raises(dg.DagsterInvalidDefinitionError, match="TIMETRACKING_KEEP_DAYS is"):
            keep_days()
