"""The model of hours as Dagster assets: built from loads of the sandbox, checked, by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from tests.support.platform import Platform
from timetracking_assets.hours.tables import TABLES
from timetracking_assets.orchestration.hours.sql_files import read_sql_files

HOURS = [f"hours/{table}" for table in TABLES]
TRACKED = "time_tracking/time_tracking_data"


def test_lineage_is_of_what_each_table_reads(definitions: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}

    def deps(table: str) -> set[str]:
        return {dep.asset_key.to_user_string() for dep in specs[f"hours/{table}"].deps}

    assert deps("holidays") == {
        "resource_management/public_holidays",
        "resource_management/holidays",
    }
    assert deps("time_entries") == {
        "hours/people_in_sources",
        "hours/projects",
        "project_management/entries",
        "resource_management/logged_time",
        "resource_management/projects",
        "time_analytics/projects",
        "time_analytics/time_entries",
        TRACKED,
        "workspace_time/time_entries",
        "workspace_time/workspace_projects",
    }
    assert deps("person_project_weeks") == {"hours/time_entries"}
    lineage = specs["hours/time_entries"].metadata["dagster/column_lineage"].deps_by_column
    assert {(dep.asset_key.to_user_string(), dep.column_name) for dep in lineage["rate"]} == {
        (TRACKED, "hourly_rate"),
        ("project_management/entries", "hourly_rate"),
        ("time_analytics/time_entries", "project_id"),
        ("time_analytics/projects", "hourly_rate__amount"),
    }


def test_a_build_with_one_api_then_with_an_edit(platform: Platform) -> None:
    assert platform.materialize(TRACKED).succeeded
    outcome = platform.materialize(*HOURS)
    assert outcome.succeeded
    [[entries, seconds]] = platform.sql(
        "SELECT count(*), sum(duration) FROM " + TRACKED.replace("/", ".")
    )
    assert platform.sql("SELECT count(*), sum(seconds) FROM hours.time_entries") == [
        (entries, seconds)
    ]
    assert platform.sql("SELECT sum(worked_seconds) FROM hours.person_days") == [(seconds,)]
    checks = outcome.checks["hours/time_entries"]
    assert checks["hours_in_equal_hours_out"].passed
    # nobody has an address in this API: loaded, counted, and named
    assert not outcome.checks["hours/people_in_sources"]["people_matched"].passed

    [[edited]] = platform.sql("SELECT max(id) FROM time_tracking.time_tracking_data")
    platform.sql(f"UPDATE time_tracking.time_tracking_data SET duration = 60 WHERE id = {edited}")
    assert platform.materialize(*HOURS).succeeded
    assert platform.sql(f"SELECT seconds FROM hours.time_entries WHERE source_id = '{edited}'") == [
        (60,)
    ]


def test_a_raw_table_dropped_by_hand_is_missing_and_named(platform: Platform) -> None:
    assert platform.materialize(TRACKED).succeeded
    platform.sql("DROP TABLE time_tracking.time_tracking_data")
    outcome = platform.materialize(*HOURS)
    assert outcome.succeeded
    check = outcome.checks["hours/time_entries"]["sources_present"]
    assert not check.passed
    assert "source time_tracking, resource time_tracking_data" in str(check.description)


def test_a_wrong_base_keeps_the_sums_back(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from timetracking_assets.hours import run

    assert platform.materialize(TRACKED).succeeded
    build = run.build_table

    def lose_entries(opened, model, name, *rest):  # type: ignore[no-untyped-def]
        report = build(opened, model, name, *rest)
        if name == "time_entries":
            opened.change("DELETE FROM hours.time_entries WHERE seconds > 7200")
        return report

    monkeypatch.setattr(run, "build_table", lose_entries)
    outcome = platform.materialize(*HOURS)
    assert not outcome.succeeded
    check = outcome.checks["hours/time_entries"]["hours_in_equal_hours_out"]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert "hours.person_days" not in platform.tables()
    assert "hours.time_entries" in platform.tables()


@pytest.mark.duckdb_only(reason="about Dagster's automation")
def test_a_load_reaches_the_model_by_itself(
    platform: Platform, definitions: dg.Definitions
) -> None:
    """Although four APIs have never been loaded."""
    instance = platform.instance
    hours = dg.AssetSelection.groups("hours")

    def requested(cursor: object = None) -> tuple[set[str], object]:
        result = dg.evaluate_automation_conditions(
            defs=definitions, instance=instance, asset_selection=hours, cursor=cursor
        )
        keys = {str(item.key.to_user_string()) for item in result.results if item.true_subset.size}
        return keys, result.cursor

    _, cursor = requested()
    assert platform.materialize(TRACKED).succeeded
    asked, cursor = requested(cursor)
    assert {"hours/people_in_sources", "hours/time_entries", "hours/person_days"} <= asked
    outcome = platform.materialize(*sorted(asked))
    assert outcome.succeeded, outcome.failures
    asked, cursor = requested(cursor)
    asked, cursor = requested(cursor)
    assert asked == set()


def test_a_sql_file_is_built(
    platform: Platform, load_platform: Callable[[], Platform], tmp_path: Path
) -> None:
    from timetracking_assets.orchestration.hours.sql_files import sql_asset
    from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource

    assert platform.materialize(TRACKED).succeeded
    assert platform.materialize(*HOURS).succeeded
    (tmp_path / "team_hours.sql").write_text(
        "SELECT day, sum(worked_seconds) AS worked FROM hours.person_days GROUP BY day"
    )
    [file] = read_sql_files(tmp_path, {})
    for _ in range(2):
        result = dg.materialize(
            [sql_asset(file)], resources={WAREHOUSE: WarehouseResource()}, raise_on_error=True
        )
        assert result.success
    assert platform.sql("SELECT sum(worked) FROM hours.team_hours") == platform.sql(
        "SELECT sum(worked_seconds) FROM hours.person_days"
    )

    # a column that isn't there is known when it is built: one message, and the table stays
    (tmp_path / "team_hours.sql").write_text("SELECT day,\n  hours FROM hours.person_days\n")
    [file] = read_sql_files(tmp_path, {})
    result = dg.materialize(
        [sql_asset(file)], resources={WAREHOUSE: WarehouseResource()}, raise_on_error=False
    )
    [failure] = [event for event in result.all_events if event.is_step_failure]
    message = str(failure.step_failure_data.error)
    assert f"{file.path}: " in message
    assert "hours" in message
    assert platform.sql("SELECT count(worked) FROM hours.team_hours") != [(0,)]
