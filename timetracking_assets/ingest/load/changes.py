"""What an answer changes in its table: counted before the load, and again after it.

The caller holds the warehouse's lock all the while, so that what is counted is what happens. Only
counting belongs here; what a large removal is, is in `merge.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from timetracking_assets.ingest.windows import Window, in_window_sql
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.base import OpenWarehouse, quoted
from timetracking_assets.warehouse.scratch import answer_relation
from timetracking_assets.warehouse.types import SQL_TYPES

UNCHANGED = "unchanged_keys"
"""The scratch's relation of the answer's keys whose rows the table holds as they are."""
REMOVED = "removed_keys"
"""The scratch's relation of the table's keys that the answer does not have, and removes."""
_SAMPLE = 5


@dataclass(frozen=True)
class Changes:
    """Rows of the answer and of the table.

    `rows` and `distinct_keys` are the answer's, without rows that are marked as deleted; `marked`
    counts the keys of these. `keys_held` counts the table's rows with one of the distinct keys.
    Where no key identifies a row, each row counts as a key. `written` are the answer's rows that
    were loaded: those that the table holds as they are need not be.
    `rows_before` and `row_count` are the whole table's, `window_row_count` the window's (None
    without one). `repeated_keys` are examples of keys that came more than once, as text.
    """

    rows: int = 0
    distinct_keys: int = 0
    marked: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    written: int | None = None
    rows_before: int = 0
    row_count: int = 0
    window_row_count: int | None = None
    keys_held: int = 0
    repeated_keys: tuple[tuple[str, ...], ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the table is another one than before."""
        return bool(self.inserted or self.updated or self.deleted)


class StagedAnswer:
    """The Parquet `files` that are about to be loaded, beside the table that they go into.

    `retyped` are the columns of the table whose type the load changes, and their new types;
    `remembered` those that dlt knows. Others that the answer lacks are somebody's own: no load
    fills them, and they are not compared. Unless it `removes`, rows that the answer lacks stay.
    """

    def __init__(
        self,
        warehouse: OpenWarehouse,
        resource: Resource,
        files: Sequence[str],
        window: Window | None,
        retyped: Mapping[str, DataType] | None = None,
        remembered: Collection[str] = (),
        *,
        removes: bool = True,
    ) -> None:
        self._warehouse, self._resource, self._window = warehouse, resource, window
        self.removes = removes
        self._retyped = retyped or {}
        self._keys = [quoted(name) for name in resource.primary_key]
        self._stored = warehouse.column_types(resource.api, resource.name)
        other_text = not warehouse.keeps_json_text
        json_columns = {n for n, kind in self._stored.items() if kind == "json" and other_text}
        self._staged = answer_relation(warehouse.scratch, files, resource.primary_key, json_columns)
        self._names = {n for n, *_ in self._compared(f"DESCRIBE SELECT * FROM {self._staged}")}
        self._foreign = self._stored.keys() - self._names - set(remembered or self._stored)
        if self._keys:
            self._keep_keys()

    def _compared(self, sql: str) -> list[tuple[Any, ...]]:
        return self._warehouse.scratch.execute(sql).fetchall()

    def _number(self, sql: str) -> int:
        [[value]] = self._compared(sql)
        return int(value)

    @cached_property
    def _table(self) -> str:
        """The table's rows to compare, with the types that its columns are about to have."""
        table = self._compared_rows(self._scope)
        casts = [
            f"CAST({quoted(name)} AS {SQL_TYPES[kind]}) AS {quoted(name)}"
            for name, kind in self._retyped.items()
        ]
        return f"(SELECT * REPLACE ({', '.join(casts)}) FROM {table})" if casts else table

    def holds_rows_of(self, windows: Sequence[Window]) -> bool:
        """Whether the table has keys of the answer in one of `windows`."""
        if not self._keys or not self._stored:
            return False
        inside = " OR ".join(f"({in_window_sql(self._resource, window)})" for window in windows)
        table = self._compared_rows("false")
        return bool(
            self._number(
                f"SELECT count(*) FROM (SELECT * FROM {table} WHERE {inside}) t "
                f"JOIN answer_keys k ON {self._same('t', 'k')}"
            )
        )

    def _compared_rows(self, where: str, columns: Sequence[str] | None = None) -> str:
        return self._warehouse.in_scratch(
            self._resource.api,
            self._resource.name,
            where=where,
            keys=self._resource.primary_key,
            of="answer_keys",
            columns=columns,
        )

    @property
    def _scope(self) -> str:
        """SQL for the rows that the answer replaces, whether it holds them or not."""
        if not self.removes:
            return "false"
        if self._resource.sync_mode == "snapshot":
            return "true"
        if self._resource.sync_mode == "window" and self._window:
            return in_window_sql(self._resource, self._window)
        return "false"

    @property
    def _whole_table(self) -> str:
        return quoted(self._resource.api, self._resource.name)

    def _keep_keys(self) -> None:
        # kept until the load is done: dlt moves the files
        mark = self._resource.deletion_mark
        dropped = "false"
        if mark and mark in self._names:
            dropped = f"coalesce(CAST({quoted(mark)} AS VARCHAR), 'false') <> 'false'"
        self._warehouse.scratch.execute(
            f"CREATE OR REPLACE TEMP TABLE answer_keys AS SELECT {', '.join(self._keys)}, "
            f"count(*) AS __copies, bool_or({dropped}) AS __drop FROM {self._staged} GROUP BY ALL"
        )

    @property
    def repeats_keys(self) -> bool:
        """Whether two rows of the answer have the same key."""
        return bool(self._compared("SELECT 1 FROM answer_keys WHERE __copies > 1 LIMIT 1"))

    @property
    def living_keys(self) -> int:
        """How many keys the answer has, without those that it marks as deleted."""
        return self._number("SELECT count(*) FROM answer_keys WHERE NOT __drop")

    @property
    def missing_keys(self) -> frozenset[tuple[Any, ...]]:
        """The keys of the rows that the load removes only because the answer does not hold them.

        Where no key identifies a row, each row that the answer does not hold is one.
        """
        if not self._stored or self._scope == "false":
            return frozenset()
        if not self._keys:
            return frozenset((n,) for n in range(self._replaced().deleted))
        self._keep_removed()
        keys = self._warehouse.scratch.sql(f"FROM {REMOVED}").to_arrow_table()
        return frozenset(zip(*(column.to_pylist() for column in keys.columns), strict=True))

    def changes(self) -> Changes:
        """What the load will change."""
        if not self._keys:
            return self._replaced()
        [[rows, distinct, marked]] = self._compared(
            "SELECT coalesce(sum(__copies) FILTER (WHERE NOT __drop), 0), "
            "count(*) FILTER (WHERE NOT __drop), count(*) FILTER (WHERE __drop) "
            "FROM answer_keys"
        )
        changes = Changes(rows=int(rows), distinct_keys=distinct, marked=marked)
        if rows > distinct:
            keys = ", ".join(f"CAST({key} AS VARCHAR)" for key in self._keys)
            sample = self._compared(
                f"SELECT {keys} FROM answer_keys WHERE __copies > 1 AND NOT __drop "
                f"ORDER BY __copies DESC, {', '.join(self._keys)} LIMIT {_SAMPLE}"
            )
            changes = replace(changes, repeated_keys=tuple(sample))
        if not self._stored:
            return replace(changes, inserted=distinct)
        matched, updated = self._matched()
        deleted = self._deleted()
        return replace(
            changes,
            inserted=distinct - matched,
            updated=updated,
            unchanged=matched - updated,
            deleted=deleted,
            rows_before=self._warehouse.number(f"SELECT count(*) FROM {self._whole_table}"),
        )

    def _replaced(self) -> Changes:
        """Without a key the whole table is replaced: equal rows stay, the others go or come."""
        rows = self._number(f"SELECT count(*) FROM {self._staged}")
        before = kept = 0
        if self._stored:
            before = self._warehouse.number(f"SELECT count(*) FROM {self._whole_table}")
        if rows and before:
            names = sorted((self._names | self._stored.keys()) - self._foreign)
            new = _as_text(names, self._names, self._staged)
            old = _as_text(names, self._stored, self._table)
            kept = self._number(f"SELECT count(*) FROM ({new} INTERSECT ALL {old})")
        return Changes(
            rows=rows,
            distinct_keys=rows,
            inserted=rows - kept,
            unchanged=kept,
            deleted=before - kept,
            rows_before=before,
        )

    def _matched(self) -> tuple[int, int]:
        """How many keys of the answer the table has, and how many of these with another row.

        Rows are compared by two hashes of theirs, 128 bits: joined as a whole, fat ones would not
        fit into DuckDB's memory.
        """
        types = dict(
            self._compared(
                f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {self._table})"
            )
        )
        compared = [
            name for name in types if quoted(name) not in self._keys and name not in self._foreign
        ]
        added = sorted(self._names - types.keys())
        kinds = [_sql_type(types[name]) for name in compared]
        new = [
            f"CAST({f's.{quoted(name)}' if name in self._names else 'NULL'} AS {kind})"
            for name, kind in zip(compared, kinds, strict=True)
        ]
        old = [
            f"CAST(t.{quoted(name)} AS {kind})" for name, kind in zip(compared, kinds, strict=True)
        ]
        new += [f"CAST({quoted(name)} AS VARCHAR)" for name in added]
        old += ["CAST(NULL AS VARCHAR)" for _ in added]
        kinds += ["VARCHAR" for _ in added]
        if not self._keep_hashes("table_hashes", "t", self._table, old, kinds):
            return 0, 0
        self._keep_hashes("answer_hashes", "s", self._staged, new, kinds)
        equal = "s.__hash = t.__hash AND s.__other_hash = t.__other_hash"
        [[matched, updated]] = self._compared(
            f"SELECT count(*), count(*) FILTER (WHERE NOT ({equal})) "
            f"FROM (SELECT DISTINCT ON ({', '.join(self._keys)}) * FROM answer_hashes) s "
            f"JOIN table_hashes t ON {self._same('s', 't')}"
        )
        keys = ", ".join(f"s.{key}" for key in self._keys)
        # once on both sides: what the table holds twice is written again
        self._warehouse.scratch.execute(
            f"CREATE OR REPLACE TEMP TABLE {UNCHANGED} AS SELECT {keys} FROM answer_hashes s "
            f"JOIN table_hashes t ON {self._same('s', 't')} "
            f"GROUP BY {keys} HAVING count(*) = 1 AND bool_and({equal})"
        )
        return matched, updated

    def _keep_hashes(
        self,
        name: str,
        alias: str,
        relation: str,
        values: Sequence[str],
        kinds: Sequence[str],
    ) -> int:
        """Keep hashes of `values` for the rows with a key of the answer that is not deleted; how
        many these are.
        """
        keys = ", ".join(f"{alias}.{key}" for key in self._keys)
        # of other bytes in another order: what has the same hash by chance has another one here
        other = [
            f"'~' || {value}" if kind == "VARCHAR" else value
            for value, kind in zip(values, kinds, strict=True)
        ]
        return self._number(
            f"CREATE OR REPLACE TEMP TABLE {name} AS "
            f"SELECT {keys}, hash({', '.join(values) or 'NULL'}) AS __hash, "
            f"hash({', '.join(reversed(other)) or 'NULL'}) AS __other_hash FROM {relation} {alias} "
            f"SEMI JOIN (SELECT * FROM answer_keys WHERE NOT __drop) k ON {self._same(alias, 'k')}"
        )

    def _deleted(self) -> int:
        scope = self._scope
        if scope == "false" and not self._resource.deletion_mark:
            return 0
        return self._number(
            f"SELECT count(*) FROM (SELECT {', '.join(self._keys)}, {scope} AS __in_scope "
            f"FROM {self._table}) t LEFT JOIN answer_keys k ON {self._same('t', 'k')} "
            "WHERE k.__drop OR (k.__drop IS NULL AND t.__in_scope)"
        )

    def _keep_removed(self) -> None:
        keys = ", ".join(self._keys)
        self._warehouse.scratch.execute(
            f"CREATE OR REPLACE TEMP TABLE {REMOVED} AS SELECT DISTINCT {keys} "
            f"FROM (SELECT {keys} FROM {self._table} WHERE {self._scope}) t "
            f"ANTI JOIN answer_keys k ON {self._same('t', 'k')}"
        )

    def removed_keys(self) -> int | None:
        """How many keys the answer's absence removes, which the relation `REMOVED` then holds; None
        where the table has rows in its place that no key identifies.
        """
        self._keep_removed()
        lacks_key = " OR ".join(f"{key} IS NULL" for key in self._keys)
        if self._number(f"SELECT count(*) FROM {REMOVED} WHERE {lacks_key}"):
            return None
        return self._number(f"SELECT count(*) FROM {REMOVED}")

    def after(self, changes: Changes) -> Changes:
        """`changes` with the table's rows counted now."""
        counts = [f"(SELECT count(*) FROM {self._whole_table})"]
        if self._window:
            inside = in_window_sql(self._resource, self._window)
            counts.append(f"(SELECT count(*) FROM {self._whole_table} WHERE {inside})")
        [[row_count, *in_window]] = self._warehouse.rows(f"SELECT {', '.join(counts)}")
        keys_held = row_count
        if self._keys:
            table = self._compared_rows("false", self._resource.primary_key)
            keys_held = self._number(
                f"SELECT count(*) FROM {table} t JOIN answer_keys k "
                f"ON {self._same('t', 'k')} WHERE NOT k.__drop"
            )
        return replace(
            changes,
            row_count=row_count,
            window_row_count=in_window[0] if in_window else None,
            keys_held=keys_held,
        )

    def _same(self, left: str, right: str) -> str:
        return " AND ".join(f"{left}.{key} = {right}.{key}" for key in self._keys)


def _sql_type(kind: str) -> str:
    return "VARCHAR" if kind == "JSON" else kind


def _as_text(names: Sequence[str], present: Container[str], relation: str) -> str:
    columns = [
        f"CAST({quoted(name) if name in present else 'NULL'} AS VARCHAR) AS {quoted(name)}"
        for name in names
    ]
    return f"SELECT {', '.join(columns)} FROM {relation}"
