"""What the report reads in the warehouse: rows of each partition, and the sums of hours.

Everything is summed in SQL, and the file is held only for these few queries: a report must not keep
loads waiting. What can't be read becomes a note, and never breaks the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import dagster as dg

from timetracking_assets.errors import WarehouseError
from timetracking_assets.health.hours import Hours, read_hours
from timetracking_assets.health.watched import WatchedAsset
from timetracking_assets.orchestration.checks.quality_counts import day_of
from timetracking_assets.warehouse.base import OpenWarehouse, Warehouse, quoted


@dataclass
class TableFacts:
    """Rows by asset and partition key, the sums of hours, and what failed."""

    rows: dict[dg.AssetKey, dict[str, int]] = field(default_factory=dict)
    hours: Hours | None = None
    hours_problem: str = ""
    """Why there are no hours."""
    notes: list[str] = field(default_factory=list)


def read_tables(warehouse: Warehouse, assets: Sequence[WatchedAsset], holder: str) -> TableFacts:
    """Read what the tables of `assets` say; an empty result with a note if they can't be read."""
    facts = TableFacts()
    try:
        if not any(warehouse.has_dataset(asset.key.path[0]) for asset in assets):
            facts.notes.append(f"There is no warehouse {warehouse}: its tables are not looked at.")
            return facts
        with warehouse.reading(holder) as opened:
            for asset in assets:
                if asset.partitions is not None and "window_field" in asset.metadata:
                    _note_rows(facts, opened, asset)
            _read_hours(facts, opened)
    # of whichever driver: what can't be read must not hide the rest
    except Exception as error:
        problem = warehouse.redactor(str(error))
        facts.notes.append(f"Rows of partitions and hours are left out: {problem}")
        facts.hours_problem = problem
    return facts


def _read_hours(facts: TableFacts, opened: OpenWarehouse) -> None:
    try:
        facts.hours = read_hours(opened)
    except WarehouseError as error:
        facts.hours_problem = str(error)


def _note_rows(facts: TableFacts, opened: OpenWarehouse, asset: WatchedAsset) -> None:
    try:
        facts.rows[asset.key] = _partition_rows(opened, asset)
    except Exception as error:
        # a table may be older than what the YAML says of it
        problem = str(error).partition("\n")[0]
        facts.notes.append(f"Rows of {asset.key.to_user_string()} by partition: {problem}")


def _partition_rows(opened: OpenWarehouse, asset: WatchedAsset) -> dict[str, int]:
    api, table = asset.key.path
    name = str(asset.metadata["window_field"])
    types = opened.column_types(api, table)
    if name not in types or asset.partitions is None:
        return {}
    day = day_of(quoted(name), types[name], asset.partitions.timezone)
    key = f"strftime({day}, '{asset.partitions.fmt}')"
    rows = opened.rows(
        f"SELECT {key}, count(*) FROM {quoted(api, table)} "
        f"WHERE {quoted(name)} IS NOT NULL GROUP BY {key}"
    )
    return dict(rows)
