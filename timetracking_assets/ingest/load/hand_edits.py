"""What somebody has changed by hand in the warehouse: mended before a load, or refused.

Mended is what no load could have made otherwise: names in other letters, a staging table, notes of
dlt's that are missing. The rest is refused with a message that says what to do. Types of columns
are judged in `restore.py`; what only the database notices gets its advice in `warehouse/base.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb
from dlt.common.schema.exceptions import SchemaEngineNoUpgradePathException

from timetracking_assets.errors import IngestError, WarehouseError, cause_of
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import (
    OpenWarehouse,
    literal,
    quoted,
    staging_dataset,
)

DLT_VERSION = "_dlt_version"
"""The table in which dlt notes the schemas that it has carried out in a dataset."""
_DLT_STATE = "_dlt_pipeline_state"
_DLT_LOADS = "_dlt_loads"
_TABLE = "BASE TABLE"
_PASSING = {"OperationalError", "InterfaceError", "InternalError", "OSError", "MemoryError"}
"""Errors that say nothing about what is stored."""


def mend_tables(opened: OpenWarehouse, resource: Resource) -> None:
    """Give the tables that a load needs their own names; drop a staging table that refuses rows.

    Raises WarehouseError where a view, or a schema in other letters, has the name of one.
    """
    for dataset in (resource.api, staging_dataset(resource.api)):
        ours = {resource.name, DLT_VERSION, _DLT_STATE, _DLT_LOADS}
        for schema, name, kind in opened.table_kinds(dataset):
            expected = next((own for own in ours if _same(opened, own, name)), None)
            if expected is None:
                continue
            if schema != dataset:
                raise WarehouseError(
                    f"{resource.label}: the schema {quoted(schema)} has the name of the dataset "
                    f"{dataset} in other letters, which the warehouse can't tell apart. Remove it "
                    f"(`DROP SCHEMA {quoted(schema)} CASCADE`), then load again."
                )
            if kind != _TABLE:
                raise WarehouseError(
                    f"{resource.label}: {dataset}.{name} is a {kind.lower()}, no table. Rename it, "
                    f"or remove it (`DROP {kind} {quoted(dataset, name)}`), then load again."
                )
            if name != expected:
                opened.change(f"ALTER TABLE {quoted(dataset, name)} RENAME TO {quoted(expected)}")
    staging = staging_dataset(resource.api)
    if opened.constraints(staging, resource.name):
        opened.change(f"DROP TABLE {quoted(staging, resource.name)}")


def mend_column_names(
    opened: OpenWarehouse, resource: Resource, stored: Mapping[str, str], names: Collection[str]
) -> bool:
    """Give columns of the table the case that they have in `names`; whether there was any other."""
    changed = False
    for column in stored.keys() - set(names) if opened.ignores_case else ():
        expected = next((name for name in names if _same(opened, name, column)), None)
        if expected is not None:
            opened.change(
                f"ALTER TABLE {quoted(resource.api, resource.name)} "
                f"RENAME COLUMN {quoted(column)} TO {quoted(expected)}"
            )
            changed = True
    return changed


def let_dlt_complete(
    opened: OpenWarehouse, resource: Resource, remembered: Collection[str]
) -> None:
    """Let dlt add again what somebody has removed: columns that it has `remembered`, in the table
    or its staging table, and tables of its own.

    dlt looks at them only if its note of the schema is not there.
    """
    for dataset in (resource.api, staging_dataset(resource.api)):
        if not opened.column_types(dataset, DLT_VERSION):
            continue
        own = [_DLT_LOADS, _DLT_STATE] if dataset == resource.api else []
        columns = opened.column_types(dataset, resource.name)
        complete = set(remembered) <= columns.keys()
        if not complete or not all(opened.column_types(dataset, table) for table in own):
            opened.change(
                f"DELETE FROM {quoted(dataset, DLT_VERSION)} "
                f"WHERE schema_name = {literal(resource.name)}"
            )


def unreadable_notes(resource: Resource, error: BaseException) -> WarehouseError | None:
    """What to raise for an `error` of dlt's when it restored the schema of a resource's table; None
    if it says nothing about what is stored.
    """
    cause = cause_of(error, IngestError, SchemaEngineNoUpgradePathException)
    if isinstance(cause, SchemaEngineNoUpgradePathException):
        return WarehouseError(
            f"{resource.label}: a newer release of dlt has written {resource.api}.{resource.name}. "
            "Install that release, or a newer one, then load again."
        )
    kinds = {kind.__name__ for kind in type(cause).__mro__}
    # DuckDB's error for a damaged file is of no kind
    passing = not _PASSING.isdisjoint(kinds) or type(cause) is duckdb.Error
    if isinstance(cause, IngestError) or passing:
        return None
    of_schema, of_state = quoted(resource.api, DLT_VERSION), quoted(resource.api, _DLT_STATE)
    if "ProgrammingError" in kinds:
        statements = [f"DROP TABLE {of_schema}", f"DROP TABLE {of_state}"]
        statements.append(f"DROP TABLE {quoted(resource.api, _DLT_LOADS)}")
    else:
        pipeline = literal(f"{resource.api}__{resource.name}")
        statements = [
            f"DELETE FROM {of_schema} WHERE schema_name = {literal(resource.name)}",
            f"DELETE FROM {of_state} WHERE pipeline_name = {pipeline}",
        ]
    return WarehouseError(
        f"{resource.label}: dlt can't read its notes of the table, which somebody has changed: "
        f"{' '.join(str(cause).split())}. Remove the notes (`{'; '.join(statements)}`), which "
        "leaves the table as it is, then load again."
    )


def _same(opened: OpenWarehouse, left: str, right: str) -> bool:
    return left.lower() == right.lower() if opened.ignores_case else left == right
