"""What a load replaces in its table: which rows go, which row of a key is kept, which types change.

Of rows of one answer that have the same key, the one that came last is kept (a list that shifted
while it was read is the common cause). The staged files are corrected here, so that a load
without duplicates, which most are, needs no sorting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from timetracking_assets.errors import RemovalError
from timetracking_assets.ingest.load.changes import REMOVED, UNCHANGED, Changes, StagedAnswer
from timetracking_assets.ingest.load.restore import StoredTable
from timetracking_assets.ingest.windows import Window, in_window_sql
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.base import (
    MergeSql,
    OpenWarehouse,
    literal,
    quoted,
    staging_dataset,
)
from timetracking_assets.warehouse.scratch import keys_in, parquet
from timetracking_assets.warehouse.types import SQL_TYPES

_SMALL_TABLE = 20
_MOST_NAMED_KEYS = 50_000
"""Up to so many keys are removed by name: a statement, which reads the table, for each thousand."""


def is_first_load(table: StoredTable) -> bool:
    """Whether there is nothing to replace in a table: not even a row that the answer itself marks
    as deleted.
    """
    return not table.stored and not table.was_dropped and table.resource.deletion_mark is None


def merge_disposition(resource: Resource) -> Any:
    """dlt's merge. What an answer replaces is no part of it: see `removal_scope`."""
    return {
        "disposition": "merge",
        "strategy": "delete-insert",
        # dlt would sort all staged rows by their keys, each time
        "deduplicated": drops_duplicates(resource),
    }


def removal_scope(resource: Resource, window: Window | None) -> str | None:
    """SQL for the rows that an answer replaces: the whole table, a window, or (None) its keys."""
    if resource.sync_mode == "snapshot":
        return "1 = 1"
    if resource.sync_mode == "changes" or window is None or resource.window is None:
        return None
    keys = ", ".join(quoted(name) for name in resource.primary_key)
    inside = in_window_sql(resource, window)
    # the keys, too: a row that has moved here from another window would otherwise be there twice
    return f"{inside} OR ({keys}) IN (SELECT {keys} FROM {{staging_table}})"


def refuse_large_removal(resource: Resource, changes: Changes) -> None:
    """Raise RemovalError if a snapshot would remove more than its share of a table of over 20 rows.

    An empty answer, a filter that the API ignores or a lost permission look like that.
    """
    if resource.sync_mode != "snapshot" or changes.rows_before <= _SMALL_TABLE:
        return
    # without a key, a row that changed looks like one that went and one that came
    removed = changes.deleted - (0 if resource.primary_key else changes.inserted)
    if removed > resource.max_removed_share * changes.rows_before:
        raise RemovalError(
            f"{resource.label}: this answer would remove {removed} of "
            f"{changes.rows_before} rows, more than {resource.max_removed_share:.0%} "
            "(`max_removed_share`). Nothing was changed. If the rows are really deleted, run the "
            "asset once with the run config "
            f"`ops: {{{resource.api}__{resource.name}: {{config: {{allow_removal: true}}}}}}`."
        )


def merge_sql(
    warehouse: OpenWarehouse,
    table: StoredTable,
    window: Window | None,
    staged: StagedAnswer,
    files: Sequence[str],
    changes: Changes,
) -> tuple[MergeSql, int]:
    """What the load adds to dlt's merge, and how many rows of the `files` it writes.

    Rows that the table holds as they are are left out of the `files`: a database would write them
    again, keep the old ones for a while, and grow. The keys to remove are then named; where these
    are many, or rows have no key, all that the answer replaces is written again.
    """
    resource, first = table.resource, type_changes(table.resource, table.retyped)
    if not resource.primary_key and changes.rows_before and not changes.changed:
        return MergeSql(first, "1 = 0"), _leave_out(warehouse, resource, files, None)
    if resource.primary_key and changes.unchanged:
        removed = staged.removed_keys()
        if removed is not None and removed <= _MOST_NAMED_KEYS:
            types = {**table.stored, **table.retyped}
            keys = {name: types[name] for name in resource.primary_key}
            where = keys_in(warehouse.scratch, keys, REMOVED)
            name = quoted(resource.api, resource.name)
            first += [f"DELETE FROM {name} WHERE {condition}" for condition in where]
            return MergeSql(first), _leave_out(warehouse, resource, files, UNCHANGED)
    scope = removal_scope(resource, window) if staged.removes else None
    return MergeSql(first, scope), changes.rows + changes.marked


def _leave_out(
    warehouse: OpenWarehouse, resource: Resource, files: Sequence[str], unchanged: str | None
) -> int:
    """Rewrite the Parquet `files` without the rows that have a key in `unchanged` (None: without
    any row); how many are left."""
    left = 0
    for file in files:
        with pq.ParquetFile(file) as source:
            chosen = pa.array([], pa.int64())
            if unchanged is not None:
                chosen = _positions(warehouse, resource, file, unchanged)
            left += len(chosen)
            if len(chosen) == source.metadata.num_rows:
                continue
            rewritten = f"{file}.rewritten"
            with pq.ParquetWriter(rewritten, source.schema_arrow) as target:
                start = 0
                for group in range(source.num_row_groups):
                    end = start + source.metadata.row_group(group).num_rows
                    inside = pc.and_(pc.greater_equal(chosen, start), pc.less(chosen, end))
                    rows = pc.subtract(chosen.filter(inside), start)
                    if len(rows):
                        target.write_table(source.read_row_group(group).take(rows))
                    start = end
        Path(rewritten).replace(file)
    return left


def _positions(
    warehouse: OpenWarehouse, resource: Resource, file: str, unchanged: str
) -> pa.Int64Array:
    """The positions of those rows of a Parquet file that are to be written, in order."""
    keys = [quoted(name) for name in resource.primary_key]
    position = quoted(_unused_name(resource.primary_key))
    same = " AND ".join(f"s.{key} = u.{key}" for key in keys)
    positions = warehouse.scratch.sql(
        f"SELECT {position} FROM (SELECT {', '.join(keys)}, row_number() OVER () - 1 AS {position} "
        f"FROM {parquet([file])}) s ANTI JOIN {unchanged} u ON {same} ORDER BY 1"
    ).to_arrow_table()
    return positions.column(0).combine_chunks()


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
        seen = f"SELECT {keys} FROM {parquet(later)}" if later else ""
        rewritten = f"{file}.rewritten"
        position = quoted(_unused_name(pq.read_schema(file).names))
        warehouse.scratch.execute(
            f"COPY (SELECT * EXCLUDE ({position}) "
            f"FROM (SELECT *, row_number() OVER () AS {position} FROM {parquet([file])}) "
            + (f"WHERE ({keys}) NOT IN ({seen}) " if later else "")
            + f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {position} DESC) = 1 "
            f"ORDER BY {position}) TO {literal(rewritten)} (FORMAT parquet)"
        )
        Path(rewritten).replace(file)
        later.append(file)


def _unused_name(names: Sequence[str]) -> str:
    """A column that an answer does not have."""
    name = "position"
    while name in names:
        name += "_"
    return name


def type_changes(resource: Resource, retyped: Mapping[str, DataType]) -> list[str]:
    """SQL that gives columns of the table another type; it belongs to the merge's transaction."""
    return [_type_change(resource.api, resource, name, kind) for name, kind in retyped.items()]


def prepare_staging(warehouse: OpenWarehouse, table: StoredTable) -> None:
    """Give the staging table's columns the types that its table is about to have.

    What it holds is an old answer, which goes first: it needs not fit.
    """
    resource = table.resource
    dataset = staging_dataset(resource.api)
    types = warehouse.column_types(dataset, resource.name)
    expected = {**table.known, **table.retyped}
    changed = {name: kind for name, kind in expected.items() if types.get(name, kind) != kind}
    if changed:
        warehouse.change(f"DELETE FROM {quoted(dataset, resource.name)}")
    for name, kind in changed.items():
        warehouse.change(_type_change(dataset, resource, name, kind))


def _type_change(dataset: str, resource: Resource, name: str, kind: DataType) -> str:
    column = quoted(name)
    return (
        f"ALTER TABLE {quoted(dataset, resource.name)} ALTER COLUMN {column} "
        f"SET DATA TYPE {SQL_TYPES[kind]} USING CAST({column} AS {SQL_TYPES[kind]})"
    )
