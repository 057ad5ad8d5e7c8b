"""The published copy of a DuckDB file: what people read while loads go on.

A DuckDB file that one process writes can't even be read by another, so readers get a file of their
own. It is replaced at once and as a whole; who has the old one open goes on reading it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from timetracking_assets.errors import WarehouseError
from timetracking_assets.ingest.duckdb_file import DuckDBFile


def publish(warehouse: DuckDBFile, holder: str) -> Path:
    """Replace the copy by the warehouse as it is now, readable by whom may read the warehouse.

    Raises LockTimeoutError, or WarehouseError if there is nothing to copy or no room for it; the
    copy is then the one that it was.
    """
    target = warehouse.published
    unfinished = target.with_name(f"{target.name}.new")
    problem: str | None = None
    # waits for the lock, and leaves the file to no connection: one that is open in this process
    # would lose its own lock when the copied file is closed
    with warehouse.locked(holder):
        if not warehouse.path.exists():
            raise WarehouseError(
                f"there is no warehouse {warehouse.path} yet: load something first"
            )
        with warehouse.connect() as connection:
            connection.execute("CHECKPOINT")
        try:
            unfinished.unlink(missing_ok=True)
            shutil.copyfile(warehouse.path, unfinished)
            unfinished.chmod(warehouse.path.stat().st_mode & 0o444)
            unfinished.replace(target)
        except OSError as error:
            problem = error.strerror
            unfinished.unlink(missing_ok=True)
    if problem:
        raise WarehouseError(f"can't publish {target}: {problem}. The last copy still stands.")
    return target
