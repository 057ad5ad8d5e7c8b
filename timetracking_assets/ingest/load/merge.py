"""What a load replaces in its table: which rows go, which key is kept, which columns become text.

Of rows of one answer that have the same key, the one that came last is kept (a page that moved
while it was asked for is the common cause). The staged files are corrected here, so that a load
without duplicates, which most are, needs no sorting. Only `on_type_mismatch: text` turns a column
into text; by default such a load is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from timetracking_assets.errors import RemovalError
from timetracking_assets.ingest.load.changes import Changes
from timetracking_assets.ingest.windows import Window, in_window_sql
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.base import (
    OpenWarehouse,
    Warehouse,
    literal,
    quoted,
    staging_dataset,
)

_SMALL_TABLE = 20


def is_first_load(resource: Resource, stored: Mapping[str, str]) -> bool:
    """Whether there is nothing to replace in a table of the columns `stored`: none but rows that
    the answer itself marks as deleted.
    """
    return not stored and resource.deletion_mark is None


def merge_disposition(resource: Resource, window: Window | None, warehouse: Warehouse) -> Any:
    """dlt's merge, with what an answer replaces."""
    disposition = {
        "disposition": "merge",
        "strategy": "delete-insert",
        # dlt would sort all staged rows by their keys, each time
        "deduplicated": drops_duplicates(resource),
    }
    scope = removal_scope(resource, window)
    if scope is None:
        return disposition
    return {**disposition, "destination_scope": warehouse.in_dialect(scope)}


def removal_scope(resource: Resource, window: Window | None) -> str | None:
    """SQL for the rows that an answer replaces: the whole table, a window, or (None) its keys."""
    if resource.sync_mode == "snapshot":
        return "1 = 1"
    if resource.sync_mode == "changes" or window is None or resource.window is None:
        return None
    keys = ", ".join(quoted(name) for name in resource.primary_key)
    inside = in_window_sql(resource, window)
    # the keys, too: a row that has moved here from another window would otherwise stand twice
    return f"{inside} OR ({keys}) IN (SELECT {keys} FROM {{staging_table}})"


def refuse_large_removal(resource: Resource, changes: Changes) -> None:
    """Raise RemovalError if a snapshot would remove more than its share of a table of over 20 rows.

    An empty answer, a filter that the API ignores or a lost permission look like that.
    """
    if resource.sync_mode != "snapshot" or changes.rows_before <= _SMALL_TABLE:
        return
    # without a key a row that changed is not told from one that went: only the number counts
    removed = changes.deleted - (0 if resource.primary_key else changes.inserted)
    if removed > resource.max_removed_share * changes.rows_before:
        raise RemovalError(
            f"{resource.label}: this answer would remove {removed} of "
            f"{changes.rows_before} rows, more than {resource.max_removed_share:.0%} "
            "(`max_removed_share`). Nothing was changed. If the rows are really gone, run the "
            "asset once with the run config "
            f"`ops: {{{resource.api}__{resource.name}: {{config: {{allow_removal: true}}}}}}`."
        )


def drops_duplicates(resource: Resource) -> bool:
    """Whether duplicates are dropped here: not those of rows that may be marked as deleted, since
    dlt decides what a mark beside a living row means. Without a key there are none.
    """
    return bool(resource.primary_key) and resource.deletion_mark is None


def drop_duplicates(warehouse: OpenWarehouse, resource: Resource, files: Sequence[str]) -> None:
    """Rewrite the Parquet `files`, which are in the order of the answer, without duplicates."""
    keys = ", ".join(quoted(name) for name in resource.primary_key)
    later: list[str] = []
    for file in reversed(files):
        seen = " UNION ALL ".join(f"SELECT {keys} FROM read_parquet({literal(f)})" for f in later)
        rewritten = f"{file}.rewritten"
        warehouse.scratch.execute(
            f"COPY (SELECT * EXCLUDE (file_row_number) "
            f"FROM read_parquet({literal(file)}, file_row_number = true) "
            + (f"WHERE ({keys}) NOT IN ({seen}) " if later else "")
            + f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY file_row_number DESC) = 1 "
            f"ORDER BY file_row_number) TO {literal(rewritten)} (FORMAT parquet)"
        )
        Path(rewritten).replace(file)
        later.append(file)


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
    return resource.model_copy(update={"columns": {**resource.columns, **widened}})


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
