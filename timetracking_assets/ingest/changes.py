"""What an answer changes in its table: counted before the load, from what is about to be loaded.

Nothing here writes. The caller holds the warehouse's lock, so that what is counted is what happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from timetracking_assets.ingest.api import Resource
from timetracking_assets.ingest.errors import IngestError
from timetracking_assets.ingest.warehouse import OpenWarehouse, literal, quoted
from timetracking_assets.ingest.windows import Window, window_condition

MAX_REMOVED_SHARE = 0.2
_SMALL_TABLE = 20


@dataclass(frozen=True)
class Changes:
    """Rows of the answer and of the table. `rows_before` and `row_count` are the whole table's,
    `window_row_count` the window's (None without one)."""

    rows: int = 0
    distinct_keys: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rows_before: int = 0
    row_count: int = 0
    window_row_count: int | None = None

    def after(self, warehouse: OpenWarehouse, resource: Resource, window: Window | None) -> Changes:
        """The same, with the table's rows counted now."""
        table = quoted(resource.api, resource.name)
        in_window = None
        if window:
            in_window = warehouse.number(
                f"SELECT count(*) FROM {table} WHERE {_in_window(resource, window)}"
            )
        row_count = warehouse.number(f"SELECT count(*) FROM {table}")
        return replace(self, row_count=row_count, window_row_count=in_window)


def count_changes(
    warehouse: OpenWarehouse, resource: Resource, files: Sequence[str], window: Window | None
) -> Changes:
    """Compare the Parquet `files` that are about to be loaded with the table."""
    stored = warehouse.column_types(resource.api, resource.name)
    keys = [quoted(name) for name in resource.primary_key]
    if files:
        staged = f"read_parquet([{', '.join(map(literal, files))}], union_by_name = true)"
    else:
        staged = "(SELECT " + ", ".join(f"NULL AS {key}" for key in keys) + " WHERE false)"
    rows = warehouse.number(f"SELECT count(*) FROM {staged}")
    distinct = warehouse.number(f"SELECT count(DISTINCT ({', '.join(keys)})) FROM {staged}")
    if not stored:
        return Changes(rows=rows, distinct_keys=distinct, inserted=distinct)
    table = quoted(resource.api, resource.name)
    before = warehouse.number(f"SELECT count(*) FROM {table}")
    names = {name for name, *_ in warehouse.rows(f"DESCRIBE SELECT * FROM {staged}")}
    joined = " AND ".join(f"s.{key} = t.{key}" for key in keys)
    [[matched, updated]] = warehouse.rows(
        f"SELECT count(*), count(*) FILTER (WHERE {_differs(stored, names, keys)}) "
        f"FROM (SELECT DISTINCT ON ({', '.join(keys)}) * FROM {staged}) s "
        f"JOIN {table} t ON {joined}"
    )
    deleted = 0
    if (scope := _removed_from(resource, window)) is not None:
        deleted = warehouse.number(
            f"SELECT count(*) FROM {table} t WHERE {scope} "
            f"AND NOT EXISTS (SELECT 1 FROM {staged} s WHERE {joined})"
        )
    return Changes(
        rows=rows,
        distinct_keys=distinct,
        inserted=distinct - matched,
        updated=updated,
        unchanged=matched - updated,
        deleted=deleted,
        rows_before=before,
    )


def refuse_large_removal(resource: Resource, changes: Changes) -> None:
    """Raise IngestError if a snapshot would remove more than a fifth of a table of over 20 rows."""
    if resource.sync_mode != "snapshot" or changes.rows_before <= _SMALL_TABLE:
        return
    if changes.deleted > MAX_REMOVED_SHARE * changes.rows_before:
        raise IngestError(
            f"{resource.label}: this answer would remove {changes.deleted} of "
            f"{changes.rows_before} rows, more than {MAX_REMOVED_SHARE:.0%}. Nothing was changed. "
            "If the rows are really gone, run the asset once with the run config "
            f"`ops: {{{resource.api}__{resource.name}: {{config: {{allow_removal: true}}}}}}`."
        )


def _differs(stored: dict[str, str], staged: set[str], keys: Sequence[str]) -> str:
    conditions = []
    for name, kind in stored.items():
        column = quoted(name)
        if column in keys:
            continue
        new = f"s.{column}" if name in staged else "NULL"
        old = f"t.{column}::VARCHAR" if kind == "JSON" else f"t.{column}"
        conditions.append(f"{new} IS DISTINCT FROM {old}")
    conditions += [f"s.{quoted(name)} IS NOT NULL" for name in sorted(staged - stored.keys())]
    return " OR ".join(conditions) or "false"


def _removed_from(resource: Resource, window: Window | None) -> str | None:
    if resource.sync_mode == "snapshot":
        return "true"
    return _in_window(resource, window) if window and resource.sync_mode == "window" else None


def _in_window(resource: Resource, window: Window) -> str:
    if resource.window is None:
        return "true"
    name = resource.window.field
    return window_condition(quoted(name), resource.columns[name].data_type, window)
