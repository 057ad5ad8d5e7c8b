"""The shipped APIs, and definitions made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dagster as dg

import timetracking_assets
from timetracking_assets.component import RestApi
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.model import RetrySpec


def shipped_apis() -> dict[str, Api]:
    """The APIs as they are shipped, by name."""
    tree = dg.ComponentTree.for_project(Path(timetracking_assets.__file__).parent)
    components = tree.get_all_components(of_type=RestApi)
    return {component.api.name: component.api for component in components}


def shared_definitions() -> dg.Definitions:
    """What all APIs share: the warehouse, and runs in this process."""
    return dg.Definitions(
        resources={WAREHOUSE: WarehouseResource()}, executor=dg.in_process_executor
    )


def hasty_definitions(timeout: float = 10) -> dg.Definitions:
    """The shipped APIs' assets, without waiting between retries; `timeout` in seconds."""
    retry = RetrySpec(backoff_factor=0, timeout=timeout)
    return dg.Definitions.merge(
        *(build_api_definitions(replace(api, retry=retry)) for api in shipped_apis().values()),
        shared_definitions(),
    )
