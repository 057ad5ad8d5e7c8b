"""The code location of the soak: a snapshot and a week of days each minute, retention each five.

Not a test: `soak.py` hands it to `dagster dev`.
"""

from dataclasses import replace
from pathlib import Path

import dagster as dg

import timetracking_assets
from timetracking_assets.component import RestApi
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.automation.schedules import build_schedules
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
from timetracking_assets.orchestration.retention import build_retention_definitions
from timetracking_assets.spec.api import Api, Automation, Schedule

LOADED = {"resource_management": ("roles", "people", "logged_time")}
_EACH_MINUTE = Automation(schedule=Schedule("* * * * *", "UTC"), lookback=6)


def _hurried(api: Api) -> Api:
    resources = {
        name: resource.model_copy(
            update={"automation": _EACH_MINUTE if name in LOADED[api.name] else Automation()}
        )
        for name, resource in api.resources.items()
    }
    return replace(api, resources=resources)


@dg.definitions
def defs() -> dg.Definitions:
    tree = dg.ComponentTree.for_project(Path(timetracking_assets.__file__).parent)
    components = tree.get_all_components(of_type=RestApi)
    apis = [_hurried(item.api) for item in components if item.api.name in LOADED]
    loads = dg.Definitions.merge(
        *(build_api_definitions(api) for api in apis),
        *(dg.Definitions(schedules=build_schedules(api)) for api in apis),
        dg.Definitions(resources={WAREHOUSE: WarehouseResource()}, executor=dg.in_process_executor),
    )
    retention = build_retention_definitions(loads)
    [job] = retention.jobs or []
    often = dg.ScheduleDefinition(
        name="often",
        job=job,
        cron_schedule="*/5 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return dg.Definitions.merge(loads, dg.Definitions(jobs=[job], schedules=[often]))
