"""A DuckDB in memory, where an answer's files and rows of its table are compared by value.

So that one way of comparing serves every destination. Getting rows into it belongs here, JSON in a
canonical form (databases keep it in an order and a layout of their own), and how much memory a
DuckDB may take; not what is queried.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from timetracking_assets.errors import WarehouseError
from timetracking_assets.warehouse.base import literal, quoted
from timetracking_assets.warehouse.types import ARROW_TYPES, SQL_TYPES

Batches = Callable[[str], Iterator[Sequence[tuple[Any, ...]]]]
_KEYS_AT_ONCE = 1000
_FEW = 4
_number = count()


def open_scratch(directory: Path) -> duckdb.DuckDBPyConnection:
    """An empty DuckDB whose times are in UTC; what doesn't fit into memory goes to `directory`."""
    connection = duckdb.connect(config={"temp_directory": str(directory)})
    limit_memory(connection)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def fill(
    scratch: duckdb.DuckDBPyConnection,
    types: Mapping[str, str],
    queries: Sequence[str],
    batches: Batches,
) -> str:
    """A new table of the columns `types` with the rows of `queries`; its name."""
    schema = pa.schema([(name, ARROW_TYPES.get(kind, pa.string())) for name, kind in types.items()])
    json_columns = {name for name, kind in types.items() if kind == "json"}
    name = f"stored_{next(_number)}"
    _insert(scratch, f"CREATE TEMP TABLE {name} AS FROM incoming", schema.empty_table())
    for query in queries:
        for rows in batches(query):
            columns = [
                pa.array(values, field.type)
                for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            table = canonical_columns(pa.Table.from_arrays(columns, schema=schema), json_columns)
            _insert(scratch, f"INSERT INTO {name} FROM incoming", table)
    return name


def answer_relation(
    scratch: duckdb.DuckDBPyConnection,
    files: Sequence[str],
    keys: Sequence[str],
    json_columns: Set[str],
) -> str:
    """A relation with the rows of Parquet `files`, `json_columns` in canonical form.

    Without files it has the columns `keys`. A column that one file lacks is null there.
    """
    if not files:
        nothing = ", ".join(f"NULL AS {quoted(name)}" for name in keys or ["none"])
        return f"(SELECT {nothing} WHERE false)"
    relation = parquet(files)
    if not json_columns:
        return relation
    described = scratch.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    if not any(name in json_columns for name, *_ in described):
        return relation
    name = f"answer_{next(_number)}"
    scratch.execute(f"CREATE TEMP TABLE {name} AS FROM {relation} LIMIT 0")
    for file in files:
        with pq.ParquetFile(file) as opened:
            for group in range(opened.num_row_groups):
                table = canonical_columns(opened.read_row_group(group), json_columns)
                _insert(scratch, f"INSERT INTO {name} BY NAME FROM incoming", table)
    return name


def parquet(files: Sequence[str]) -> str:
    """A relation with the rows of Parquet `files`, and nothing that their paths seem to say."""
    return (
        f"read_parquet([{', '.join(map(literal, files))}], union_by_name = true, "
        "hive_partitioning = false)"
    )


def _insert(scratch: duckdb.DuckDBPyConnection, sql: str, table: pa.Table) -> None:
    scratch.register("incoming", table)
    try:
        scratch.execute(sql)
    finally:
        scratch.unregister("incoming")


def selection(types: Mapping[str, str], dataset: str, table: str) -> str:
    """A SELECT of those columns; text where Arrow has no type, drivers differ in what they make."""
    columns = [
        quoted(name)
        if kind in ARROW_TYPES and kind != "json"
        else f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}"
        for name, kind in types.items()
    ]
    return f"SELECT {', '.join(columns)} FROM {quoted(dataset, table)}"


def is_few(scratch: duckdb.DuckDBPyConnection, of: str, rows: int) -> bool:
    """Whether a table of `rows` rows is better queried by the keys in `of` than read as a whole."""
    [[keys]] = scratch.execute(f"SELECT count(*) FROM {of}").fetchall()
    return bool(keys * _FEW < rows)


def key_conditions(
    scratch: duckdb.DuckDBPyConnection, keys: Mapping[str, str], of: str
) -> Iterator[str]:
    """SQL for the rows that have one of the keys in the relation `of`; a thousand keys each.

    `keys`: their columns and types.
    """
    columns = [f"CAST({quoted(name)} AS VARCHAR)" for name in keys]
    present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in keys)
    distinct = scratch.execute(
        f"SELECT DISTINCT {', '.join(columns)} FROM {of} WHERE {present}"
    ).fetchall()
    for start in range(0, len(distinct), _KEYS_AT_ONCE):
        some = distinct[start : start + _KEYS_AT_ONCE]
        values = [[_value(v, k) for v, k in zip(row, keys.values(), strict=True)] for row in some]
        if len(keys) == 1:
            [name] = keys
            yield f"{quoted(name)} IN ({', '.join(row[0] for row in values)})"
        else:
            pairs = [zip(map(quoted, keys), row, strict=True) for row in values]
            yield " OR ".join(f"({' AND '.join(f'{n} = {v}' for n, v in row)})" for row in pairs)


def keys_in(scratch: duckdb.DuckDBPyConnection, keys: Mapping[str, str], of: str) -> Iterator[str]:
    """SQL for the rows that have one of the keys in the relation `of`, as few databases know better
    than by a list of values; a thousand keys each. `keys`: their columns and types.
    """
    names = ", ".join(map(quoted, keys))
    columns = [f"CAST({quoted(name)} AS VARCHAR)" for name in keys]
    cursor = scratch.execute(f"SELECT {', '.join(columns)} FROM {of}")
    while some := cursor.fetchmany(_KEYS_AT_ONCE):
        rows = [
            ", ".join(_value(v, kind) for v, kind in zip(row, keys.values(), strict=True))
            for row in some
        ]
        if len(keys) == 1:
            yield f"{names} IN ({', '.join(rows)})"
        else:
            yield f"({names}) IN (VALUES {', '.join(f'({row})' for row in rows)})"


def _value(text: str, data_type: str) -> str:
    if data_type == "bigint":
        return text
    if data_type in ("text", "json") or data_type not in SQL_TYPES:
        return literal(text)
    return f"CAST({literal(text)} AS {SQL_TYPES[data_type]})"


def canonical_columns(table: pa.Table, names: Container[str]) -> pa.Table:
    """`table` with the JSON text of those columns, as far as it has them, in canonical form."""
    for index, name in enumerate(table.column_names):
        if name in names:
            texts = [canonical_json(text) for text in table[name].to_pylist()]
            table = table.set_column(index, name, pa.array(texts, pa.string()))
    return table


def canonical_json(text: str | None) -> str | None:
    """The same text for the same value: members in order, numbers without what they don't need.

    Numbers are exact, however long. Text that isn't JSON stays as it is.
    """
    if text is None:
        return None
    try:
        value = json.loads(text, parse_int=Decimal, parse_float=Decimal)
    except ValueError:
        return text
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _plain_number(value) if isinstance(value, Decimal) else value


def _plain_number(value: Decimal) -> dict[str, Any]:
    # not `normalize`, which rounds to 28 digits
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    if not kept:
        return {"": "0"}
    assert isinstance(exponent, int)
    # an object that no other value comes to: a number is not its text
    return {"": f"{'-' if sign else ''}{kept}e{exponent + len(text) - len(kept)}"}


MEMORY_LIMIT = "TIMETRACKING_MEMORY_LIMIT"
_MEGABYTES_A_THREAD = 200
LEAST_MEGABYTES_A_THREAD = 125
"""What DuckDB needs: https://duckdb.org/docs/current/guides/performance/environment"""


def limit_memory(
    connection: duckdb.DuckDBPyConnection, megabytes_a_thread: int = _MEGABYTES_A_THREAD
) -> None:
    """Limit all of the process's connections to the same database.

    `TIMETRACKING_MEMORY_LIMIT` is the size as DuckDB reads it (`2GB`); without, it is
    `megabytes_a_thread`. Raises WarehouseError for a size that it can't read.
    """
    limit = os.environ.get(MEMORY_LIMIT, "").strip()
    if not limit:
        [[threads]] = connection.execute("SELECT current_setting('threads')").fetchall()
        limit = f"{megabytes_a_thread * int(threads)}MB"
    problem = ""
    try:
        connection.execute("SET memory_limit = $limit", {"limit": limit})
    except duckdb.Error as error:
        problem = " ".join(str(error).split())
    if problem:
        raise WarehouseError(f"{MEMORY_LIMIT} is {limit!r}, which DuckDB refuses: {problem}")
