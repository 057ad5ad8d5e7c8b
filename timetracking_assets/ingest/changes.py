"""What an answer changes in its table: counted before the load, from what is about to be loaded.

Nothing here writes. The caller holds the warehouse's lock, so that what is counted is what happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from timetracking_assets.ingest.api import Resource
from timetracking_assets.ingest.errors import IngestError
from timetracking_assets.ingest.warehouse import OpenWarehouse, quoted
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
    if not resource.primary_key:
        return count_replaced(warehouse, quoted(resource.api, resource.name), files, stored)
    keys = [quoted(name) for name in resource.primary_key]
    if files:
        staged = f"read_parquet([{', '.join(map(_literal, files))}], union_by_name = true)"
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


def count_replaced(
    warehouse: OpenWarehouse, table: str, files: Sequence[str], stored: Mapping[str, str]
) -> Changes:
    """The same for a table without a key: rows that are equal stay, the others go or come."""
    staged = f"read_parquet([{', '.join(map(_literal, files))}], union_by_name = true)"
    rows = warehouse.number(f"SELECT count(*) FROM {staged}") if files else 0
    before = warehouse.number(f"SELECT count(*) FROM {table}") if stored else 0
    kept = 0
    if rows and before:
        names = {name for name, *_ in warehouse.rows(f"DESCRIBE SELECT * FROM {staged}")}
        columns = [quoted(name) for name in stored if name in names]
        new, old = (
            f"SELECT {', '.join(f'{c}::VARCHAR AS {c}' for c in columns)} FROM {relation}"
            for relation in (staged, table)
        )
        kept = warehouse.number(f"SELECT count(*) FROM ({new} INTERSECT ALL {old})")
    return Changes(
        rows=rows,
        distinct_keys=rows,
        inserted=rows - kept,
        unchanged=kept,
        deleted=before - kept,
        rows_before=before,
    )


def refuse_large_removal(resource: Resource, changes: Changes) -> None:
    """Raise IngestError if a snapshot would remove more than a fifth of a table of over 20 rows."""
    if resource.sync_mode != "snapshot" or changes.rows_before <= _SMALL_TABLE:
        return
    # without a key a row that changed is not told from one that went: only the number counts
    removed = changes.deleted - (0 if resource.primary_key else changes.inserted)
    if removed > MAX_REMOVED_SHARE * changes.rows_before:
        raise IngestError(
            f"{resource.label}: this answer would remove {removed} of "
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


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
