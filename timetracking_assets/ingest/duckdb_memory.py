"""How much memory DuckDB may take, so that a large load needs no more than a small one.

DuckDB would keep what it has read in up to four fifths of the machine's memory. What doesn't fit,
it puts on disk beside the warehouse.
"""

from __future__ import annotations

import os

import duckdb

from timetracking_assets.errors import WarehouseError

MEMORY_LIMIT = "TIMETRACKING_MEMORY_LIMIT"
_MEGABYTES_A_THREAD = 200
"""DuckDB needs 125 at least: https://duckdb.org/docs/current/guides/performance/environment"""


def limit_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Limit all of the process's connections to the same database.

    `TIMETRACKING_MEMORY_LIMIT` says how much in DuckDB's words (`2GB`); without, 200 MB a thread.
    Raises WarehouseError for words that are none.
    """
    limit = os.environ.get(MEMORY_LIMIT, "").strip()
    if not limit:
        [[threads]] = connection.execute("SELECT current_setting('threads')").fetchall()
        limit = f"{_MEGABYTES_A_THREAD * int(threads)}MB"
    problem = ""
    try:
        connection.execute("SET memory_limit = $limit", {"limit": limit})
    except duckdb.Error as error:
        problem = " ".join(str(error).split())
    if problem:
        raise WarehouseError(f"{MEMORY_LIMIT} is {limit!r}, which DuckDB refuses: {problem}")
