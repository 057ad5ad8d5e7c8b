"""The code location for a test in a hurry: schedules at IMPATIENT_CRON, two sensors each 5 s.

Not a test: `test_daemon.py` hands it to a real daemon.
"""

import os
from dataclasses import replace
from pathlib import Path

import dagster as dg

import timetracking_assets
from timetracking_assets.component import RestApi
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.automation.build import build_automation, failures_sensor
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
from timetracking_assets.spec.api import Api, Automation, Schedule
from timetracking_assets.spec.automation import ProbeSpec

SCHEDULED = {
    "project_management": "projects",
    "resource_management": "roles",
    "time_analytics": "clients",
    "time_tracking": "time_tracking_data",
    "workspace_time": "organizations",
}
PROBED = ("project_management", "absences")

failures_sensor._INTERVAL = 5


def _hurried(api: Api) -> Api:
    resources = {
        name: item.model_copy(update={"automation": Automation()})
        for name, item in api.resources.items()
    }
    scheduled = SCHEDULED[api.name]
    timed = Automation(schedule=Schedule(os.environ["IMPATIENT_CRON"], "UTC"))
    resources[scheduled] = resources[scheduled].model_copy(update={"automation": timed})
    if api.name == PROBED[0]:
        probe = ProbeSpec(interval=5, params={"items_per_page": 1})
        resources[PROBED[1]] = resources[PROBED[1]].model_copy(
            update={"automation": Automation(probe=probe)}
        )
    return replace(api, resources=resources)


def _few_sensors(definitions: dg.Definitions) -> dg.Definitions:
    # each tick takes a while on a busy machine
    expected = {"project_management_changes", "time_tracking_failures"}
    sensors = [sensor for sensor in definitions.sensors or [] if sensor.name in expected]
    return dg.Definitions(
        schedules=definitions.schedules, asset_checks=definitions.asset_checks, sensors=sensors
    )


@dg.definitions
def defs() -> dg.Definitions:
    tree = dg.ComponentTree.for_project(Path(timetracking_assets.__file__).parent)
    apis = [_hurried(item.api) for item in tree.get_all_components(of_type=RestApi)]
    return dg.Definitions.merge(
        *(build_api_definitions(api) for api in apis),
        *(_few_sensors(build_automation(api)) for api in apis),
        dg.Definitions(resources={WAREHOUSE: WarehouseResource()}, executor=dg.in_process_executor),
    )
