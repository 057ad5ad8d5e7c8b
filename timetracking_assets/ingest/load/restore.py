"""What the warehouse knows of a resource's table when a load begins, and how its types may change.

dlt restores its schema here; which of its types are to be others is decided here, too. The change
itself is part of the merge (`merge.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import dlt

from timetracking_assets.errors import TypeMismatchError, WarehouseError
from timetracking_assets.ingest.columns.names import FieldPath
from timetracking_assets.ingest.load.hand_edits import (
    mend_column_names,
    mend_tables,
    unreadable_notes,
)
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.base import OpenWarehouse, quoted
from timetracking_assets.warehouse.types import ARROW_TYPES

_SMALL_INTEGERS: set[DataType] = {"bigint", "double", "decimal", "text"}
_WIDER: dict[str, set[DataType]] = {
    "bool": {"text"},
    "bigint": {"double", "decimal", "text"},
    "double": {"text"},
    "decimal": {"text"},
    "date": {"text"},
    "json": {"text"},
    # SQL's, where somebody has narrowed a column by hand
    **dict.fromkeys(["TINYINT", "SMALLINT", "INTEGER"], _SMALL_INTEGERS),
    "FLOAT": {"double", "text"},
}
"""Types into which the values of a column go unchanged; bigint into double only up to 2^53."""

_EXACT_INTEGERS = 2**53

FIELD = "x-field"
"""Hint of a column in dlt's schema: the API's field that it holds, where its name is another."""


@dataclass(frozen=True)
class StoredTable:
    """A resource's table as it was when the load began.

    `pipeline` is dlt's, its schema restored. `stored` are the table's columns and types (dlt's
    names, or SQL's own), `known` those that this load keeps to, `retyped` the columns whose type
    this load changes, `fields` the API's fields of columns that have another name. `remembered`
    are the columns that dlt believes to be there; `was_dropped`: the whole table is not. `guessed`
    are the columns of a table without rows whose types nothing has shown or declared yet.
    """

    pipeline: Any
    resource: Resource
    stored: Mapping[str, str]
    known: Mapping[str, DataType]
    retyped: Mapping[str, DataType]
    fields: Mapping[str, FieldPath]
    remembered: Collection[str]
    was_dropped: bool
    guessed: Collection[str]


def restore(
    opened: OpenWarehouse,
    resource: Resource,
    inferred: Mapping[str, DataType],
    directory: Path,
) -> StoredTable:
    """Restore dlt's schema into `directory`, for who holds the dataset's lock.

    `inferred` are the types that the answer's columns turned out to need. Raises TypeMismatchError
    where a declared type can't hold what the table has, WarehouseError where somebody has changed
    what is stored, so that nothing can be loaded.
    """
    mend_tables(opened, resource)
    pipeline = dlt.pipeline(
        f"{resource.api}__{resource.name}",
        pipelines_dir=str(directory),
        destination=opened.destination(),
        dataset_name=resource.api,
    )
    # dlt's record of each step goes with the directory; a load reports by itself
    pipeline.config.enable_runtime_trace = False
    unreadable = None
    try:
        pipeline.sync_destination()
    except Exception as error:
        unreadable = unreadable_notes(resource, error)
        if unreadable is None:
            raise
    if unreadable:
        raise unreadable
    stored = opened.column_types(resource.api, resource.name)
    remembered = _remembered_columns(pipeline, resource)
    names = {*remembered, *resource.columns, *resource.primary_key}
    if mend_column_names(opened, resource, stored, names):
        stored = opened.column_types(resource.api, resource.name)
    resource = _with_text_columns(resource, stored, inferred)
    _refuse_without_key(resource, stored)
    known = _known_types(opened, resource, stored, remembered, inferred)
    # dlt would refuse another type than the one that it remembers
    for name in known.keys() & remembered.keys():
        _retype(remembered[name], known[name])
    return StoredTable(
        pipeline=pipeline,
        resource=resource,
        stored=stored,
        known=known,
        retyped={name: kind for name, kind in known.items() if stored[name] != kind},
        fields={
            name: tuple(column[FIELD])
            for name, column in remembered.items()
            if FIELD in column and name in stored
        },
        remembered=frozenset(remembered),
        was_dropped=not stored and bool(remembered),
        guessed=_guessed_columns(opened, resource, stored),
    )


def _guessed_columns(
    opened: OpenWarehouse, resource: Resource, stored: Mapping[str, str]
) -> Collection[str]:
    undeclared = {name for name in resource.primary_key if name in stored} - set(resource.columns)
    if not undeclared:
        return undeclared
    table = quoted(resource.api, resource.name)
    return set() if opened.rows(f"SELECT 1 FROM {table} LIMIT 1") else undeclared


def _retype(column: dict[str, Any], data_type: DataType) -> None:
    if column["data_type"] != data_type:
        column["data_type"] = data_type
        # those of the type that it was: no text has a scale
        column.pop("precision", None)
        column.pop("scale", None)


def of_ours(kind: str) -> DataType | None:
    """The type of a stored column, if it is one that an answer's columns can have."""
    return cast(DataType, kind) if kind in ARROW_TYPES else None


def _with_text_columns(
    resource: Resource, stored: Mapping[str, str], inferred: Mapping[str, DataType]
) -> Resource:
    """`resource` with those columns declared as text that are stored as text, or are to be."""
    as_text = {
        name: column.model_copy(update={"data_type": "text"})
        for name, column in resource.columns.items()
        if column.on_type_mismatch == "text" and "text" in (stored.get(name), inferred.get(name))
    }
    return resource.model_copy(update={"columns": {**resource.columns, **as_text}})


def _known_types(
    opened: OpenWarehouse,
    resource: Resource,
    stored: Mapping[str, str],
    remembered: Mapping[str, Any],
    inferred: Mapping[str, DataType],
) -> dict[str, DataType]:
    """The type that each stored column has after this load."""
    known: dict[str, DataType] = {}
    for name, kind in stored.items():
        declared = resource.columns.get(name)
        data_type = of_ours(kind)
        if declared is not None:
            choices: list[DataType] = [declared.data_type]
        elif data_type is None:
            # a type that no load makes: somebody has changed the column by hand
            choices = [remembered[name]["data_type"]] if name in remembered else []
        elif name in inferred:
            choices = [inferred[name], "decimal", "text"]
        else:
            choices = [data_type]
        fitting = (choice for choice in choices if _holds(opened, resource, name, kind, choice))
        chosen = next(fitting, None)
        if chosen is not None:
            known[name] = chosen
        elif choices:
            raise _refusal(resource, name, kind, choices[0])
    return known


def _refuse_without_key(resource: Resource, stored: Mapping[str, str]) -> None:
    missing = [name for name in resource.primary_key if name not in stored]
    if stored and missing:
        raise WarehouseError(
            f"{resource.label}: the table {resource.api}.{resource.name} has no column "
            f"'{missing[0]}', which is its key. Remove the table "
            f"(`DROP TABLE {quoted(resource.api, resource.name)}`) and load it again."
        )


def _holds(
    opened: OpenWarehouse, resource: Resource, name: str, kind: str, data_type: DataType
) -> bool:
    """Whether a column of type `data_type` holds all values of the stored one, of type `kind`."""
    if kind == data_type or name in resource.any_text_columns:
        return True
    if data_type not in _WIDER.get(kind, ()):
        return False
    if (kind, data_type) != ("bigint", "double"):
        return True
    column = quoted(name)
    return not opened.number(
        f"SELECT count(*) FROM {quoted(resource.api, resource.name)} "
        f"WHERE {column} > {_EXACT_INTEGERS} OR {column} < -{_EXACT_INTEGERS}"
    )


def _refusal(resource: Resource, name: str, kind: str, data_type: str) -> TypeMismatchError:
    table = quoted(resource.api, resource.name)
    declared = name in resource.columns
    way_out = f"Declare it as {kind}" if of_ours(kind) else "Change it back"
    return TypeMismatchError(
        f"{resource.label}: column '{name}' is {'declared as ' if declared else ''}{data_type}, "
        f"but the table {resource.api}.{resource.name} holds it as {kind}, and not all of that "
        f"fits. {way_out}, or remove the table (`DROP TABLE {table}`) and load it again."
    )


def _remembered_columns(pipeline: Any, resource: Resource) -> dict[str, Any]:
    """The columns of the resource's table in dlt's restored schema."""
    if not pipeline.default_schema_name:
        return {}
    columns: dict[str, Any] = pipeline.default_schema.tables.get(resource.name, {}).get(
        "columns", {}
    )
    return columns
