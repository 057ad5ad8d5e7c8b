"""A DuckDB in memory beside a destination: there an answer's files and rows of its table meet.

So that one way of comparing serves every destination. Only getting rows into it belongs here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from timetracking_assets.ingest.arrow_types import ARROW_TYPES
from timetracking_assets.ingest.json_values import canonical_columns
from timetracking_assets.ingest.warehouse import literal, quoted

Batches = Callable[[str], Iterator[Sequence[tuple[Any, ...]]]]
_KEYS_AT_ONCE = 1000
_FEW = 4
_number = count()


def open_scratch(directory: Path) -> duckdb.DuckDBPyConnection:
    """An empty DuckDB whose times are in UTC; what doesn't fit into memory goes to `directory`."""
    connection = duckdb.connect(config={"temp_directory": str(directory)})
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
    relation = f"read_parquet([{', '.join(map(literal, files))}], union_by_name = true)"
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
    """Whether a table of `rows` rows is better asked for the keys in `of` than read as a whole."""
    [[asked]] = scratch.execute(f"SELECT count(*) FROM {of}").fetchall()
    return bool(asked * _FEW < rows)


def key_conditions(
    scratch: duckdb.DuckDBPyConnection, keys: Mapping[str, str], of: str
) -> Iterator[str]:
    """SQL for the rows that have one of the keys in the relation `of`; a thousand keys each.

    `keys`: their columns and types.
    """
    columns = [f"CAST({quoted(name)} AS VARCHAR)" for name in keys]
    present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in keys)
    found = scratch.execute(
        f"SELECT DISTINCT {', '.join(columns)} FROM {of} WHERE {present}"
    ).fetchall()
    for start in range(0, len(found), _KEYS_AT_ONCE):
        some = found[start : start + _KEYS_AT_ONCE]
        values = [[_value(v, k) for v, k in zip(row, keys.values(), strict=True)] for row in some]
        if len(keys) == 1:
            [name] = keys
            yield f"{quoted(name)} IN ({', '.join(row[0] for row in values)})"
        else:
            pairs = [zip(map(quoted, keys), row, strict=True) for row in values]
            yield " OR ".join(f"({' AND '.join(f'{n} = {v}' for n, v in row)})" for row in pairs)


def _value(text: str, data_type: str) -> str:
    if data_type == "bigint":
        return text
    sql_types = {"timestamp": "TIMESTAMP WITH TIME ZONE", "double": "DOUBLE", "bool": "BOOLEAN"}
    sql_type = {**sql_types, "date": "DATE", "decimal": "DECIMAL(38, 9)"}.get(data_type)
    return f"CAST({literal(text)} AS {sql_type})" if sql_type else literal(text)
