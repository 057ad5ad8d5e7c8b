"""All schedules and sensors of an API, put together. Each has a module of its own."""

from __future__ import annotations

import dagster as dg

from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.automation.changes_sensor import changes_sensor
from timetracking_assets.orchestration.automation.failures_sensor import failures_sensor
from timetracking_assets.orchestration.automation.freshness import freshness_definitions
from timetracking_assets.orchestration.automation.jobs import API_TAG, KIND_TAG, sensor_status
from timetracking_assets.orchestration.automation.late_edits_sensor import late_edits_sensor
from timetracking_assets.orchestration.automation.schedules import build_schedules
from timetracking_assets.spec.api import Api


def build_automation(api: Api) -> dg.Definitions:
    """The schedules and sensors of `api`, off unless its file or the environment turns them on."""
    sensors = [
        changes_sensor(api),
        late_edits_sensor(api),
        _condition_sensor(api),
        failures_sensor(api),
    ]
    return dg.Definitions.merge(
        dg.Definitions(schedules=build_schedules(api), sensors=[item for item in sensors if item]),
        freshness_definitions(api),
    )


def _condition_sensor(api: Api) -> dg.SensorDefinition | None:
    """Evaluates the automation conditions of `api`; None if it has none."""
    resources = [item for item in api.resources.values() if item.automation.condition != "none"]
    if not resources:
        return None
    return dg.AutomationConditionSensorDefinition(
        f"{api.name}_automation",
        target=dg.AssetSelection.assets(*[asset_key(item) for item in resources]),
        default_status=sensor_status(api),
        description="Loads the resources whose `automation_condition` is met: "
        + ", ".join(f"{item.name} ({item.automation.condition})" for item in resources),
        run_tags={API_TAG: api.name, KIND_TAG: "automation"},
    )
