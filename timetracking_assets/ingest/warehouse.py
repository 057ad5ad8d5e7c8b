"""The warehouse: one DuckDB file, its one writer at a time, and what is asked of its tables.

Only reading and locking belong here; rows get in through dlt alone (`load.py`). The file is never
touched without its lock: a second process can't even read while one has the file open.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import duckdb
from filelock import FileLock, Timeout

from timetracking_assets.ingest.errors import LockTimeoutError, WarehouseError
from timetracking_assets.ingest.private_files import private_files

_SAY_AFTER_SECONDS = 5.0


class _DuckDB(dlt.destinations.duckdb):
    """dlt's destination, without the search for settings that its capabilities don't depend on.

    dlt asks for them more than twenty times a load, and resolves a whole configuration each time.
    """

    def capabilities(self, config: Any = None, naming: Any = None) -> Any:
        return super().capabilities(config or self.spec(), naming)


def quoted(*names: str) -> str:
    """A quoted SQL identifier, its parts joined by dots."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def staging_dataset(dataset: str) -> str:
    """Where dlt keeps the answer of the last load of each table until the next one."""
    return f"{dataset}_staging"


@dataclass(frozen=True)
class Warehouse:
    """A DuckDB file at `path` (made on the first load) and the seconds to wait for its lock."""

    path: Path
    lock_timeout: float = 600.0

    @property
    def work_dir(self) -> Path:
        """Where loads keep their private working directories: beside the file, on the same disk."""
        return self.path.with_name(f"{self.path.name}.loads")

    def destination(self) -> Any:
        """The dlt destination for this file."""
        # dlt leaves this unset for DuckDB: the merge's DELETE would commit before its INSERT
        return _DuckDB(str(self.path), supports_transactions=True)

    @contextmanager
    def exclusive(
        self, holder: str, log: Callable[[str], None] | None = None
    ) -> Iterator[OpenWarehouse]:
        """The warehouse for this process alone; it waits while another one has it.

        `holder` says who, for others that wait. Raises LockTimeoutError, or WarehouseError if the
        file can't be opened.
        """
        # kept open while the lock is held: dlt's own connections then share the open database
        # instead of reading the file anew, five times for each load
        with self.locked(holder, log) as waited, self.connect() as connection:
            yield OpenWarehouse(connection, waited)

    @contextmanager
    def locked(self, holder: str, log: Callable[[str], None] | None = None) -> Iterator[float]:
        """The lock alone, with the seconds that it took; the file is not opened.

        A killed process holds nothing: the lock is the kernel's. Raises LockTimeoutError.
        """
        self.prepare()
        lock = FileLock(f"{self.path}.lock", mode=0o600, is_singleton=False)
        note = Path(f"{self.path}.holder")
        started = time.monotonic()
        self._acquire(lock, note, log)
        waited = time.monotonic() - started
        try:
            with private_files():
                note.write_text(json.dumps({"holder": holder, "pid": os.getpid()}))
                yield waited
        finally:
            note.unlink(missing_ok=True)
            lock.release()

    def _acquire(self, lock: FileLock, note: Path, log: Callable[[str], None] | None) -> None:
        said = False
        deadline = time.monotonic() + self.lock_timeout
        while True:
            rest = deadline - time.monotonic()
            try:
                lock.acquire(timeout=max(0.0, min(rest, _SAY_AFTER_SECONDS)), poll_interval=0.02)
            except Timeout:
                pass
            else:
                return
            if time.monotonic() >= deadline:
                break
            if log and not said:
                log(f"waiting for the warehouse {self.path}, held by {_holder(note)}")
                said = True
        raise LockTimeoutError(
            f"waited {self.lock_timeout:.0f} s for the warehouse {self.path}, held by "
            f"{_holder(note)}. Wait for that run to end, or raise the warehouse's `lock_timeout`."
        )

    def prepare(self) -> None:
        """Make the file's directory if need be. Raises WarehouseError if it can't be written."""
        problem: str | None = None
        try:
            with private_files():
                self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = error.strerror
        if problem or not os.access(self.path.parent, os.W_OK):
            raise WarehouseError(
                f"can't write the warehouse {self.path}: {problem or 'permission denied'}. Set "
                "TIMETRACKING_WAREHOUSE to a path that can be written."
            )
        if "'" in str(self.path):
            raise WarehouseError(
                f"the path of the warehouse, {self.path}, has an apostrophe, which dlt can't load "
                "through. Set TIMETRACKING_WAREHOUSE to a path without one."
            )

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection, for who holds the lock. Raises WarehouseError if there can be none."""
        problem: str | None = None
        try:
            connection = duckdb.connect(str(self.path))
        except duckdb.Error as error:
            problem = " ".join(str(error).split())
        if problem:
            advice = "Check the file and TIMETRACKING_WAREHOUSE, which names it."
            if "lock" in problem:
                advice = (
                    "Close the other program (or let it open the file only while it reads), then "
                    "run again."
                )
            raise WarehouseError(f"can't open the warehouse {self.path}: {problem} {advice}")
        try:
            yield connection
        finally:
            connection.close()


@dataclass(frozen=True)
class OpenWarehouse:
    """The warehouse while its lock is held; `waited` is the seconds that it took to get it."""

    connection: duckdb.DuckDBPyConnection
    waited: float

    def column_types(self, dataset: str, table: str) -> dict[str, str]:
        """Column names and SQL types of a table, in order; empty if there is none."""
        try:
            found = self.connection.execute(f"DESCRIBE {quoted(dataset, table)}").fetchall()
        except duckdb.CatalogException:
            return {}
        return {name: kind for name, kind, *_ in found}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query. For counts, samples and ids, not for tables."""
        return self.connection.execute(sql).fetchall()

    def number(self, sql: str) -> int:
        """The one number that a query gives."""
        [[value]] = self.rows(sql)
        return int(value)


def _holder(note: Path) -> str:
    try:
        held = json.loads(note.read_text())
    except (OSError, ValueError):
        return "another process"
    return f"{held['holder']} (process {held['pid']})"
