"""One code location: the APIs, the model of hours, and the dbt models on top of it."""

from pathlib import Path

import dagster as dg

from timetracking_assets import WarehouseResource


@dg.definitions
def defs() -> dg.Definitions:
    """Everything below `defs/`, and the warehouse."""
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(resources={"warehouse": WarehouseResource()}),
    )
