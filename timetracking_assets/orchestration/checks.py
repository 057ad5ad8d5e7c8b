"""Asset checks: what is asserted of a table after each merge, or on demand.

A check reads the table as it stands; it never trusts what a load says of itself. One that can't be
answered fails and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from timetracking_assets.ingest.api import Resource
from timetracking_assets.ingest.warehouse import OpenWarehouse, Warehouse, quoted
from timetracking_assets.ingest.windows import Window
from timetracking_assets.orchestration.specs import asset_key

UNIQUE = "primary_key_unique"
NOT_NULL = "primary_key_not_null"
_SAMPLE = 5


def check_specs(resource: Resource) -> list[dg.AssetCheckSpec]:
    """The checks of an asset: those of its key, where it has one."""
    if not resource.primary_key:
        return []
    keys, asset = ", ".join(resource.primary_key), asset_key(resource)
    return [
        dg.AssetCheckSpec(
            UNIQUE,
            asset=asset,
            blocking=True,
            description=f"No two rows of the table have the same {keys}.",
        ),
        dg.AssetCheckSpec(
            NOT_NULL, asset=asset, description=f"Every row of the table has its {keys}."
        ),
    ]


def run_checks(
    resource: Resource,
    warehouse: Warehouse,
    names: Iterable[str],
    window: Window | None,
    holder: str,
) -> Iterator[dg.AssetCheckResult]:
    """The results of the checks in `names` over the whole table, whoever wrote it."""
    questions = {UNIQUE: _duplicates, NOT_NULL: _nulls}
    with warehouse.exclusive(holder) as opened:
        stands = bool(opened.column_types(resource.api, resource.name))
        for name in names:
            if stands:
                bad, metadata = questions[name](opened, resource)
                passed, text = bad == 0, None
            else:
                passed, metadata = False, {}
                text = (
                    f"There is no table {resource.api}.{resource.name} yet: materialize it first."
                )
            yield dg.AssetCheckResult(
                passed=passed,
                asset_key=asset_key(resource),
                check_name=name,
                description=text,
                metadata={**metadata, "window": str(window) if window else "whole table"},
            )


def _duplicates(warehouse: OpenWarehouse, resource: Resource) -> tuple[int, dict[str, Any]]:
    keys = ", ".join(quoted(name) for name in resource.primary_key)
    table = quoted(resource.api, resource.name)
    # rows without a key are the other check's: they have no key in common
    whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in resource.primary_key)
    grouped = (
        f"SELECT {keys}, count(*) AS n FROM {table} WHERE {whole} GROUP BY {keys} "
        "HAVING count(*) > 1"
    )
    duplicates = warehouse.number(f"SELECT count(*) FROM ({grouped}) d")
    sample = warehouse.rows(f"{grouped} ORDER BY n DESC, {keys} LIMIT {_SAMPLE}")
    return duplicates, {
        "rows": warehouse.number(f"SELECT count(*) FROM {table}"),
        "duplicate_keys": duplicates,
        "sample_keys": dg.MetadataValue.json([list(map(str, row[:-1])) for row in sample]),
    }


def _nulls(warehouse: OpenWarehouse, resource: Resource) -> tuple[int, dict[str, Any]]:
    keys = [quoted(name) for name in resource.primary_key]
    table = quoted(resource.api, resource.name)
    is_null = " OR ".join(f"{key} IS NULL" for key in keys)
    nulls = warehouse.number(f"SELECT count(*) FROM {table} WHERE {is_null}")
    sample = warehouse.rows(f"SELECT * FROM {table} WHERE {is_null} LIMIT {_SAMPLE}")
    return nulls, {
        "rows": warehouse.number(f"SELECT count(*) FROM {table}"),
        "rows_without_key": nulls,
        "sample_rows": dg.MetadataValue.json([[str(value) for value in row] for row in sample]),
    }
