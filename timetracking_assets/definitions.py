"""The code location: everything below `defs/`, and the resources that all APIs share.

It only assembles what is described in `defs/*/defs.yaml` and built in `orchestration`.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import dagster as dg


@cache
def _freeze() -> None:
    """Once: what a process loads again may be all that is left of it."""
    # not by `gc.get_freeze_count`: some versions of Python begin with frozen objects
    gc.freeze()


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Collect no garbage meanwhile, and never look for it in what is there then.

    Modules and definitions stay until the process ends: searching them takes a fifth of the time of
    a load of the code location, and a twelfth of a whole run.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        _freeze()
        if was_enabled:
            gc.enable()


@dg.definitions
@_without_garbage_collection()
def defs() -> dg.Definitions:
    """All definitions of the project, loaded from YAML."""
    # imported here, as modules stay, too: dlt's and those of the components are a thousand
    from timetracking_assets.health.asset import build_health_definitions
    from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
    from timetracking_assets.orchestration.retention import build_retention_definitions

    loaded = dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(resources={WAREHOUSE: WarehouseResource()}, executor=dg.in_process_executor),
    )
    watched = dg.Definitions.merge(loaded, build_health_definitions(loaded))
    return dg.Definitions.merge(watched, build_retention_definitions(watched))
