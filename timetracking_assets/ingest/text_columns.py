"""Columns that a load turns into text, because a value does not fit them and they may be (`text`).

Only `on_type_mismatch: text` leads here; by default such a load is refused. What the values look
like as text is in `json_columns.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.base import OpenWarehouse, quoted, staging_dataset

_TEXT = "text"


def with_text_columns(
    resource: Resource, stored: Mapping[str, str], inferred: Mapping[str, DataType]
) -> Resource:
    """`resource` with those columns declared as text that are stored as text, or are to be."""
    widened = {
        name: column.model_copy(update={"data_type": "text"})
        for name, column in resource.columns.items()
        if column.on_type_mismatch == "text"
        and (stored.get(name) == _TEXT or inferred.get(name) == "text")
    }
    return replace(resource, columns={**resource.columns, **widened})


def forget_types(pipeline: Any, resource: Resource) -> None:
    """Let dlt's stored schema take the columns as text, too; it would refuse another type."""
    if not pipeline.default_schema_name:
        return
    columns = pipeline.default_schema.tables.get(resource.name, {}).get("columns", {})
    for name in resource.any_text_columns:
        if name in columns:
            columns[name]["data_type"] = "text"


def turn_into_text(warehouse: OpenWarehouse, resource: Resource) -> None:
    """Change the columns' type in the table and in its staging table; values are kept as text."""
    for dataset in (resource.api, staging_dataset(resource.api)):
        types = warehouse.column_types(dataset, resource.name)
        for name in resource.any_text_columns:
            if types.get(name, _TEXT) != _TEXT:
                warehouse.change(
                    f"ALTER TABLE {quoted(dataset, resource.name)} "
                    f"ALTER COLUMN {quoted(name)} TYPE VARCHAR"
                )
