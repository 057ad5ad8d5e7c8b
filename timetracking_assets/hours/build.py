"""Building the model: each table is staged, compared, and only the parts that differ are written.

All of it is one transaction: who reads sees the old model or the new one. What is right is judged
in `checks.py`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from timetracking_assets.errors import WarehouseError
from timetracking_assets.hours.fingerprints import HASHES, Contents, digest, fingerprints
from timetracking_assets.hours.last_build import LastBuild
from timetracking_assets.hours.mapping import Types
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.shapes import DAY, Column, Table
from timetracking_assets.hours.sql import table_sql
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted

_STAGED, _CHANGED = quoted("staged_hours"), quoted("changed_hours")


@dataclass(frozen=True)
class TableReport:
    """What building a table came to. `parts` are values of its scope: days of a source, mostly."""

    table: str
    rows: int
    parts_replaced: int
    rows_written: int
    rows_removed: int
    seconds: float
    sql: str

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return self.parts_replaced > 0


def loaded_types(opened: OpenWarehouse) -> Types:
    """The columns that raw tables have in the warehouse; each table is looked at once."""
    known: dict[tuple[str, str], dict[str, str]] = {}

    def types(api: str, resource: str) -> dict[str, str]:
        if (api, resource) not in known:
            known[api, resource] = opened.column_types(api, resource)
        return known[api, resource]

    return types


def prepare(opened: OpenWarehouse) -> None:
    """Make the schema. Raises WarehouseError for a warehouse that speaks another SQL than these."""
    if opened.dialect not in HASHES:
        raise WarehouseError(
            f"the model of hours can't be built in a warehouse of {opened.dialect}: it takes "
            f"{' or '.join(HASHES)}. Take its folder, `defs/hours`, out of the project."
        )
    opened.change(f"CREATE SCHEMA IF NOT EXISTS {quoted(SCHEMA)}")


def build_table(
    opened: OpenWarehouse,
    model: HoursModel,
    table: str,
    types: Types,
    last: LastBuild,
    contents: Contents,
) -> TableReport:
    """Bring one table up to date with what it reads; inside of a transaction.

    What is made of the same rows by the same SQL as last time, and holds what it held then, is
    left as it is: of a table whose parts are those of a source, each source by itself.
    """
    started = time.monotonic()
    definition = TABLES[table]
    sql = table_sql(model, table, types)
    sources = model.sources(definition)
    made_from = {source: _made_from(model, table, source, types, contents) for source in sources}
    stale = [
        source
        for source in sources
        if not last.has(table, source, made_from[source], contents.of_table(table, source))
    ]
    kept = [source for source in sources if source is not None and source not in stale]
    if not stale and not _others(opened, definition, kept):
        rows = sum(contents.rows(table, source) for source in sources)
        return TableReport(table, rows, 0, 0, 0, time.monotonic() - started, sql)
    some = table_sql(model.without(kept), table, types)
    report = replace_changed(opened, table, some, definition.columns, definition.scope, kept)
    contents.changed(table, kept)
    for source in stale:
        last.note(table, source, made_from[source], contents.of_table(table, source))
    rows = sum(contents.rows(table, source) for source in sources)
    return replace(report, rows=rows, seconds=time.monotonic() - started, sql=sql)


def _made_from(
    model: HoursModel, table: str, source: str | None, types: Types, contents: Contents
) -> str:
    """What the rows of a source (None: all) are made of: the SQL, and the rows that it reads."""
    only = model if source is None else model.only(source)
    definition = TABLES[table]
    sql = table_sql(only, table, types)
    read = [
        contents.of_raw(api, resource, [name for name in types(api, resource) if name in columns])
        for (api, resource), columns in sorted(only.raw_columns(definition).items())
    ]
    for name in definition.reads:
        of_source = source if "source" in TABLES[name].column_names else None
        read.append(contents.of_table(name, of_source))
    today = str(date.today()) if "current_date" in sql else ""
    return digest(sql, today, *read)


def _others(opened: OpenWarehouse, definition: Table, sources: Sequence[str]) -> int:
    """Rows of sources that the model no longer has."""
    if not sources or not opened.column_types(SCHEMA, definition.name):
        return 0
    return opened.number(
        f"SELECT count(*) FROM {quoted(SCHEMA, definition.name)} WHERE {_not_of(sources)}"
    )


def _not_of(sources: Sequence[str]) -> str:
    return f"source NOT IN ({', '.join(map(literal, sources))})" if sources else "true"


def replace_changed(
    opened: OpenWarehouse,
    table: str,
    sql: str,
    columns: Sequence[Column],
    scope: Sequence[str] = (),
    kept: Sequence[str] = (),
) -> TableReport:
    """Replace the parts of a table that differ from what `sql` gives; inside of a transaction.

    The rows of the sources `kept` are left as they are: `sql` has none of them.
    """
    started = time.monotonic()
    target = quoted(SCHEMA, table)
    _make(opened, table, columns)
    of_others = _not_of(kept)
    names = ", ".join(quoted(column.name) for column in columns)
    parts = {c.name: _part(c) for c in columns if c.name in scope}
    opened.change(f"CREATE TEMP TABLE {_STAGED} AS {sql}")
    staged, stored = (
        fingerprints(relation, [column.name for column in columns], opened.dialect, parts)
        for relation in (_STAGED, f"{target} WHERE {of_others}")
    )
    selected = ", ".join(f"f.{quoted(name)}" for name in parts) or "1 AS whole"
    opened.change(
        f"CREATE TEMP TABLE {_CHANGED} AS SELECT DISTINCT {selected} FROM "
        f"(({staged} EXCEPT {stored}) UNION ALL ({stored} EXCEPT {staged})) AS f"
    )
    replaced = opened.number(f"SELECT count(*) FROM {_CHANGED}")
    removed = written = 0
    if replaced:
        of_change = f"{of_others} AND {_in_changed(parts)}"
        removed = opened.number(f"SELECT count(*) FROM {target} WHERE {of_change}")
        written = opened.number(f"SELECT count(*) FROM {_STAGED} WHERE {of_change}")
        opened.change(f"DELETE FROM {target} WHERE {of_change}")
        opened.change(
            f"INSERT INTO {target} ({names}) SELECT {names} FROM {_STAGED} WHERE {of_change}"
        )
    rows = opened.number(f"SELECT count(*) FROM {_STAGED}")
    for temporary in (_STAGED, _CHANGED):
        opened.change(f"DROP TABLE {temporary}")
    return TableReport(table, rows, replaced, written, removed, time.monotonic() - started, sql)


def _make(opened: OpenWarehouse, table: str, columns: Sequence[Column]) -> None:
    """Make the table; one whose columns are another version's is made again."""
    target = quoted(SCHEMA, table)
    existing = opened.column_types(SCHEMA, table)
    if existing and list(existing) != [column.name for column in columns]:
        opened.change(f"DROP TABLE {target}")
        existing = {}
    if not existing:
        shape = ", ".join(f"{quoted(column.name)} {column.sql_type}" for column in columns)
        opened.change(f"CREATE TABLE {target} ({shape})")


def _part(column: Column) -> str:
    """A scope's column as one that can be compared: rows without a value are a part, too."""
    nothing = "DATE '0001-01-01'" if column.sql_type == DAY else "''"
    return f"coalesce({quoted(column.name)}, {nothing})"


def _in_changed(parts: dict[str, str]) -> str:
    if not parts:
        return "true"
    columns = ", ".join(quoted(name) for name in parts)
    return f"({', '.join(parts.values())}) IN (SELECT {columns} FROM {_CHANGED})"


def replace_table(opened: OpenWarehouse, table: str, sql: str) -> int:
    """Make a table of whatever columns `sql` gives, in place of the one that is there; its rows."""
    target = quoted(SCHEMA, table)
    with opened.transaction():
        prepare(opened)
        opened.change(f"CREATE TEMP TABLE {_STAGED} AS {sql}")
        opened.change(f"DROP TABLE IF EXISTS {target}")
        opened.change(f"CREATE TABLE {target} AS SELECT * FROM {_STAGED}")
        opened.change(f"DROP TABLE {_STAGED}")
        return opened.number(f"SELECT count(*) FROM {target}")
