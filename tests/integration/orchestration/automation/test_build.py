"""The schedules and sensors that each shipped API has."""

from __future__ import annotations

import dagster as dg


def test_names_of_the_sensors(definitions: dg.Definitions) -> None:
    sensors = definitions.get_repository_def().sensor_defs
    by_api: dict[str, set[str]] = {}
    for sensor in sensors:
        if sensor.name in ("health_report_after_runs", "hours_automation"):
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
