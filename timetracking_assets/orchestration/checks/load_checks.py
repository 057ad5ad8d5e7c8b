"""Asset checks of a table after each load, or on demand: its key, and its rows against the answer.

A check that can't be evaluated fails and says why. How a load is compared with its table is in
`reconciliation.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.check_history import check_history
from timetracking_assets.orchestration.checks.load_facts import LoadFacts
from timetracking_assets.orchestration.checks.reconciliation import (
    differences,
    reconciliation_metadata,
    repeated_metadata,
    rows_in_scope,
)
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import OpenWarehouse, Warehouse, quoted, staging_dataset

UNIQUE = "primary_key_unique"
NOT_NULL = "primary_key_not_null"
RECONCILED = "rows_reconciled"
NO_DUPLICATES = "no_duplicate_rows_in_answer"
_SAMPLE = 5
_RECORDS = 5


def check_specs(resource: Resource) -> list[dg.AssetCheckSpec]:
    """The checks of an asset: of its load, and of its key, where it has one."""
    keys, asset = ", ".join(resource.primary_key), asset_key(resource)
    reconciled = dg.AssetCheckSpec(
        RECONCILED,
        asset=asset,
        blocking=True,
        description="The table holds exactly the rows of the latest answer, and the answer as many "
        "rows as the API states, where it states a total.",
    )
    if not keys:
        return [reconciled]
    return [
        dg.AssetCheckSpec(
            UNIQUE,
            asset=asset,
            blocking=True,
            description=f"No two rows of the table have the same {keys}. After a load of changes "
            "or of a window, only the keys of its answer are checked, provided that this check "
            "passed before; run alone, it checks the whole table.",
        ),
        dg.AssetCheckSpec(
            NOT_NULL, asset=asset, description=f"No row of the table lacks its {keys}."
        ),
        reconciled,
        dg.AssetCheckSpec(
            NO_DUPLICATES,
            asset=asset,
            description=f"No {keys} occurs twice in the latest answer. Pages that shift while they "
            "are read repeat some rows and skip others.",
        ),
    ]


def was_unique(instance: dg.DagsterInstance, resource: Resource, run_id: str) -> bool:
    """Whether the table's keys were unique when another run than `run_id` last checked them.

    False, too, if that run has no result: it may have loaded and ended before its checks.
    """
    key = dg.AssetCheckKey(asset_key(resource), UNIQUE)
    records = check_history(instance, key, limit=_RECORDS)
    latest = next((record.result for record in records if record.run_id != run_id), None)
    return latest is not None and latest.passed


def run_checks(
    resource: Resource,
    warehouse: Warehouse,
    names: Iterable[str],
    facts: LoadFacts | None,
    holder: str,
    known_unique: bool = False,
) -> Iterator[dg.AssetCheckResult]:
    """The results of the checks in `names`; `facts` are the latest load's.

    `known_unique` means that the keys were unique before that load, which has just been done: then
    only keys of its answer can be duplicates.
    """
    window = str(facts.window) if facts and facts.window else "whole table"
    with warehouse.exclusive(holder, dataset=resource.api) as opened:
        exists = bool(opened.column_types(resource.api, resource.name))
        for name in names:
            result = (
                _answered(opened, resource, name, facts, known_unique)
                if exists
                else _no_table(resource, name)
            )
            shown = {**(result.metadata or {}), "window": dg.MetadataValue.text(window)}
            yield result._replace(metadata=shown)


def _answered(
    warehouse: OpenWarehouse,
    resource: Resource,
    name: str,
    facts: LoadFacts | None,
    known_unique: bool,
) -> dg.AssetCheckResult:
    if name == UNIQUE:
        written = facts.rows_written if facts and known_unique else None
        return _of_table(resource, name, *_duplicates(warehouse, resource, written))
    if name == NOT_NULL:
        return _of_table(resource, name, *_nulls(warehouse, resource))
    if facts is None:
        text = "The latest materialization carries no counts: materialize the asset again."
        return _failed(resource, name, text)
    if name == RECONCILED:
        return _reconciled(warehouse, resource, facts)
    assert name == NO_DUPLICATES, name
    return _no_duplicates(resource, facts)


def _no_table(resource: Resource, name: str) -> dg.AssetCheckResult:
    table = f"{resource.api}.{resource.name}"
    return _failed(resource, name, f"The table {table} does not exist yet: materialize it first.")


def _failed(resource: Resource, name: str, text: str) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.WARN if name == NO_DUPLICATES else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        passed=False,
        asset_key=asset_key(resource),
        check_name=name,
        description=text,
        severity=severity,
    )


def _reconciled(
    warehouse: OpenWarehouse, resource: Resource, facts: LoadFacts
) -> dg.AssetCheckResult:
    in_scope = facts.rows_in_scope
    if facts.keys_held is None:
        in_scope = rows_in_scope(warehouse, resource, facts)
    problems = differences(resource, facts, in_scope)
    return dg.AssetCheckResult(
        passed=not problems,
        asset_key=asset_key(resource),
        check_name=RECONCILED,
        description=" ".join(problems) or None,
        metadata=reconciliation_metadata(facts, in_scope, problems),
    )


def _no_duplicates(resource: Resource, facts: LoadFacts) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=facts.rows_in_answer == facts.distinct_keys,
        asset_key=asset_key(resource),
        check_name=NO_DUPLICATES,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=repeated_metadata(facts),
    )


def _of_table(
    resource: Resource, name: str, bad: int, metadata: dict[str, Any]
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=bad == 0, asset_key=asset_key(resource), check_name=name, metadata=metadata
    )


def _duplicates(
    warehouse: OpenWarehouse, resource: Resource, written: int | None
) -> tuple[int, dict[str, Any]]:
    """How many keys occur twice, of the answer's, of which a load has `written` rows, or (None) of
    all: a row that it didn't write was there once, as the load has seen.
    """
    keys = ", ".join(quoted(name) for name in resource.primary_key)
    table = quoted(resource.api, resource.name)
    # rows without a key are the other check's
    condition = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in resource.primary_key)
    answer = (staging_dataset(resource.api), resource.name)
    # a snapshot replaces the whole table
    may_be_partly = written is not None and resource.sync_mode != "snapshot"
    counts = [f"(SELECT count(*) FROM {table})"]
    if may_be_partly and warehouse.column_types(*answer):
        counts.append(f"(SELECT count(*) FROM {quoted(*answer)})")
    [[rows, *staged]] = warehouse.rows(f"SELECT {', '.join(counts)}")
    # a first load bypasses the staging table, which then holds an older answer; and dlt may be
    # configured to empty its staging tables
    partly = bool(staged and written is not None and rows > written and staged[0] >= written)
    if partly:
        condition += f" AND ({keys}) IN (SELECT {keys} FROM {quoted(*answer)})"
    grouped = (
        f"SELECT {keys}, count(*) AS n FROM {table} WHERE {condition} GROUP BY {keys} "
        "HAVING count(*) > 1"
    )
    duplicates = warehouse.number(f"SELECT count(*) FROM ({grouped}) d")
    sample = []
    if duplicates:
        sample = warehouse.rows(f"{grouped} ORDER BY n DESC, {keys} LIMIT {_SAMPLE}")
    return duplicates, {
        "rows": rows,
        "duplicate_keys": duplicates,
        "checked": "keys of the answer" if partly else "whole table",
        "sample_keys": dg.MetadataValue.json([list(map(str, row[:-1])) for row in sample]),
    }


def _nulls(warehouse: OpenWarehouse, resource: Resource) -> tuple[int, dict[str, Any]]:
    keys = [quoted(name) for name in resource.primary_key]
    table = quoted(resource.api, resource.name)
    is_null = " OR ".join(f"{key} IS NULL" for key in keys)
    [[rows, nulls]] = warehouse.rows(
        f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {table} WHERE {is_null})"
    )
    sample = []
    if nulls:
        sample = warehouse.rows(f"SELECT * FROM {table} WHERE {is_null} LIMIT {_SAMPLE}")
    return nulls, {
        "rows": rows,
        "rows_without_key": nulls,
        "sample_rows": dg.MetadataValue.json([[str(value) for value in row] for row in sample]),
    }
