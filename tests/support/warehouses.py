"""A warehouse for one test, and queries of it, whichever kind the tests run against."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import sqlglot

from tests.support import throwaway_postgres


def columns(table: str, ask: Callable[..., list[tuple[Any, ...]]]) -> list[str]:
    found = ask(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = ? "
        "AND table_name = ? ORDER BY ordinal_position",
        table.split("."),
    )
    return [name for (name,) in found]


def ask(
    warehouse: Path,
    query: str,
    parameters: Sequence[Any] = (),
    url: str = "",
    *,
    read_only: bool = False,
) -> list[tuple[Any, ...]]:
    """The rows that a query gives, in the DuckDB file, or in the database at `url` (else the one
    that the environment names). Written in DuckDB's SQL.

    Several processes can have a DuckDB file open at a time where all of them open it `read_only`.
    """
    if not throwaway_postgres.available():
        with duckdb.connect(str(warehouse), read_only=read_only) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query, list(parameters)).fetchall()
    [translated] = sqlglot.transpile(query, read="duckdb", write="postgres")
    url = url or os.environ["DESTINATION__POSTGRES__CREDENTIALS"]
    return throwaway_postgres.query(url, translated.replace("?", "%s"), list(parameters) or None)


def named_database(url: str) -> dict[str, str]:
    return {"WAREHOUSE_DESTINATION": "postgres", "DESTINATION__POSTGRES__CREDENTIALS": url}


@contextmanager
def fresh_database() -> Iterator[dict[str, str]]:
    if not throwaway_postgres.available():
        yield {}
        return
    url = throwaway_postgres.new_database()
    yield named_database(url)
    throwaway_postgres.drop_database(url)
