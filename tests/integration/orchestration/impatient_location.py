"""The code location as `dagster dev` loads it, in a hurry: schedules each minute, sensors each 5 s.

Not a test: `test_daemon.py` hands it to a real daemon.
"""

from dataclasses import replace
from pathlib import Path

import dagster as dg

import timetracking_assets
from timetracking_assets.component import RestApi
from timetracking_assets.ingest.api import Api
from timetracking_assets.ingest.automation import Automation, Schedule
from timetracking_assets.ingest.automation_spec import ProbeSpec
from timetracking_assets.orchestration import trouble_sensor
from timetracking_assets.orchestration.assets import WAREHOUSE, build_api_definitions
from timetracking_assets.orchestration.automation import build_automation
from timetracking_assets.orchestration.resources import WarehouseResource

SCHEDULED = {
    "project_management": "projects",
    "resource_management": "roles",
    "time_analytics": "clients",
    "time_tracking": "time_tracking_data",
    "workspace_time": "organizations",
}
PROBED = ("project_management", "customers")

trouble_sensor._INTERVAL = 5


def _hurried(api: Api) -> Api:
    resources = {
        name: replace(item, automation=Automation()) for name, item in api.resources.items()
    }
    scheduled = SCHEDULED[api.name]
    each_minute = Automation(schedule=Schedule("* * * * *", "UTC"))
    resources[scheduled] = replace(resources[scheduled], automation=each_minute)
    if api.name == PROBED[0]:
        probe = ProbeSpec(interval=5, params={"items_per_page": 1})
        resources[PROBED[1]] = replace(resources[PROBED[1]], automation=Automation(probe=probe))
    return replace(api, resources=resources)


@dg.definitions
def defs() -> dg.Definitions:
    tree = dg.ComponentTree.for_project(Path(timetracking_assets.__file__).parent)
    apis = [_hurried(item.api) for item in tree.get_all_components(of_type=RestApi)]
    return dg.Definitions.merge(
        *(build_api_definitions(api) for api in apis),
        *(build_automation(api) for api in apis),
        dg.Definitions(resources={WAREHOUSE: WarehouseResource()}, executor=dg.in_process_executor),
    )
