"""The published copy of the warehouse: what people read while loads go on.

A DuckDB file that one process writes can't even be read by another, so readers get a file of their
own. It is replaced at once and as a whole; who has the old one open goes on reading it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from timetracking_assets.ingest.errors import WarehouseError
from timetracking_assets.ingest.warehouse import OpenWarehouse, Warehouse


def published_path(warehouse: Warehouse) -> Path:
    """Where the copy is: `warehouse.published.duckdb` beside `warehouse.duckdb`."""
    return warehouse.path.with_suffix(f".published{warehouse.path.suffix}")


def publish(warehouse: Warehouse, holder: str) -> Path:
    """Replace the copy by the warehouse as it is now, readable by whom may read the warehouse.

    Raises LockTimeoutError, or WarehouseError if there is nothing to copy or no room for it; the
    copy is then the one that it was.
    """
    target = published_path(warehouse)
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


@contextmanager
def reading(warehouse: Warehouse, holder: str) -> Iterator[OpenWarehouse]:
    """The published copy, which no load waits for; the warehouse itself where there is none."""
    path = published_path(warehouse)
    if not path.exists():
        with warehouse.exclusive(holder) as opened:
            yield opened
        return
    with duckdb.connect(str(path), read_only=True) as connection:
        yield OpenWarehouse(connection, 0.0)
