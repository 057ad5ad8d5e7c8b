"""The embedded warehouse: one DuckDB file with one writer at a time, and the copy that people read.

Only reading, locking and publishing belong here; rows get in through dlt alone
(`ingest/load/run.py`). The file is never touched without its lock: a second process can't even read
while one has the file open. So readers get a file of their own. It is replaced at once and as a
whole; who has the old one open goes on reading it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from timetracking_assets.errors import WarehouseError
from timetracking_assets.warehouse.base import Log, Warehouse, staging_dataset
from timetracking_assets.warehouse.duckdb_instances import OpenFile
from timetracking_assets.warehouse.locks import file_lock, wait_for
from timetracking_assets.warehouse.open_duckdb import OpenDuckDB
from timetracking_assets.warehouse.private_files import private_files
from timetracking_assets.warehouse.scratch import LEAST_MEGABYTES_A_THREAD, limit_memory

_PAUSE_SECONDS = 0.05
_HOLDER = re.compile(r"Conflicting lock is held in (.+?) \(PID (\d+)\)")
_DAMAGED = ("Could not read enough bytes", "Corrupt database file")
"""What DuckDB's messages about a damaged file say."""
_CHECK_PATH = "Check the file and TIMETRACKING_WAREHOUSE, which names it."


@dataclass(frozen=True)
class DuckDBFile(Warehouse):
    """A DuckDB file at `path`, made on the first load."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """dlt's settings of the destination, as they are looked up."""
        return {}

    @property
    def directory(self) -> Path:
        """That of the file."""
        return self.path.parent

    @property
    def work_dir(self) -> Path:
        """Beside the file, on the same disk; or among the system's temporary files.

        These, where the path would say more to DuckDB or dlt than where a file is: `key=value` is a
        partition of Hive's, `%` a place for a parameter.
        """
        if not {"=", "%"} & set(str(self.path)):
            return self.path.with_name(f"{self.path.name}.loads")
        name = sha256(str(self.path).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"timetracking-{os.getuid()}-{name}.loads"

    @property
    def published(self) -> Path:
        """Where the copy for readers is: `warehouse.published.duckdb` beside `warehouse.duckdb`."""
        return self.path.with_suffix(f".published{self.path.suffix}")

    @contextmanager
    def exclusive(
        self, holder: str, log: Log | None = None, *, dataset: str = ""
    ) -> Iterator[OpenDuckDB]:
        """The file for this process alone, whatever the `dataset`: DuckDB has one writer."""
        with self.locked(holder, log) as waited, self.connect(log) as (file, more):
            self._refuse_ambiguous(dataset, file)
            opened = OpenDuckDB(
                file.connection,
                waited + more,
                path=self.path,
                database=file.database,
                settings=self._settings,
            )
            with closing(opened):
                yield opened

    def _refuse_ambiguous(self, dataset: str, file: OpenFile) -> None:
        """Raise WarehouseError where DuckDB would take the dataset for the database."""
        names = {name.lower() for name in file.databases}
        if not names.isdisjoint(name.lower() for name in (dataset, staging_dataset(dataset))):
            raise WarehouseError(
                f"the warehouse {self.path} has the name of the API {dataset}, or one that DuckDB "
                "keeps for itself: it could not tell the file from the tables' schema. Set "
                "TIMETRACKING_WAREHOUSE to a file of another name, or rename the API."
            )

    @contextmanager
    def reading(self, holder: str) -> Iterator[OpenDuckDB]:
        """The published copy, which no load waits for; the file itself where there is no copy."""
        if not self.published.exists():
            with self.exclusive(holder) as opened:
                yield opened
            return
        with duckdb.connect(str(self.published), read_only=True) as connection:
            yield OpenDuckDB(connection)

    def has_dataset(self, dataset: str) -> bool:
        """Whether the file exists."""
        return self.path.exists()

    @contextmanager
    def locked(self, holder: str, log: Log | None = None) -> Iterator[float]:
        """The lock alone, with the seconds that it took; the file is not opened.

        A killed process holds nothing: the lock is the kernel's. Raises LockTimeoutError.
        """
        self.prepare()
        note = Path(f"{self.path}.holder")
        what = f"the warehouse {self.path}"
        with file_lock(Path(f"{self.path}.lock"), note, what, holder, self.lock_timeout, log) as w:
            yield w

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
        if self.work_dir.exists() and not os.access(self.work_dir, os.W_OK | os.X_OK):
            raise WarehouseError(
                f"can't write {self.work_dir}, where loads keep their files meanwhile. Remove it, "
                "or let this user write it."
            )
        if unusable := sorted(set("'?\\") & set(str(self.path))):
            raise WarehouseError(
                f"the path of the warehouse, {self.path}, has a {unusable[0]} in it, which DuckDB "
                "or dlt can't use. Set TIMETRACKING_WAREHOUSE to a path without it."
            )

    @contextmanager
    def connect(self, log: Log | None = None) -> Iterator[tuple[OpenFile, float]]:
        """The file, opened for who holds the lock, and the seconds that it took.

        It waits for other programs that have the file open. Raises LockTimeoutError if they keep
        it, WarehouseError if it can't be opened.
        """
        files: list[OpenFile] = []
        problem = ""

        def attempt(seconds: float) -> bool:
            nonlocal problem
            deadline = time.monotonic() + seconds
            while True:
                try:
                    files.append(OpenFile(self.path))
                except duckdb.Error as error:
                    problem = " ".join(str(error).split())
                else:
                    return True
                if "Could not set lock on file" not in self._message(problem):
                    return True
                if time.monotonic() + _PAUSE_SECONDS > deadline:
                    return False
                time.sleep(_PAUSE_SECONDS)

        waited = wait_for(
            attempt,
            f"the warehouse {self.path}",
            lambda: _program(problem),
            self.lock_timeout,
            log,
            f"Close that program, or let it read {self.published.name}",
        )
        if not files:
            raise WarehouseError(
                f"can't open the warehouse {self.path}: {problem} "
                + (self._file_advice(problem) or _CHECK_PATH)
            )
        [file] = files
        try:
            # its tables are on disk: with more, it would only keep what it has read and written
            limit_memory(file.connection, LEAST_MEGABYTES_A_THREAD)
            yield file, waited
        except BaseException:
            file.close(failed=True)
            raise
        file.close()

    def advice(self, error: BaseException, dataset: str, table: str) -> str:
        """What to do about an error of DuckDB's; see `Warehouse`."""
        if isinstance(error, duckdb.Error) and (advice := self._file_advice(str(error))):
            return advice
        return super().advice(error, dataset, table)

    def _message(self, problem: str) -> str:
        # DuckDB has no types for what can go wrong with a file; a path may hold any text
        return problem.replace(str(self.path), "")

    def _file_advice(self, problem: str) -> str:
        message = self._message(problem)
        if "Failure while replaying WAL file" in message:
            return (
                f"The write-ahead log is damaged. Move it away (`mv {self.path}.wal "
                f"{self.path}.wal.damaged`), which loses the loads that ended since the file was "
                "last complete, and load again what was loaded since; or restore both files from "
                "a backup."
            )
        if any(text in message for text in _DAMAGED):
            return (
                f"The file is damaged. Restore it from a backup, such as {self.published}; or move "
                "it away and load everything again."
            )
        return ""

    def publish(self, holder: str) -> Path:
        """Replace the copy by the warehouse as it is now, readable by whom may read the warehouse.

        Raises LockTimeoutError, or WarehouseError if there is nothing to copy or no room for it;
        the copy is then the one that it was.
        """
        target = self.published
        unfinished = target.with_name(f"{target.name}.new")
        problem = ""
        try:
            # waits for the lock, and leaves the file to no connection: one that is open in this
            # process would lose its own lock when the copied file is closed
            with self.locked(holder):
                self._copy(target, unfinished)
        except OSError as error:
            problem = str(error.strerror)
        except duckdb.Error as error:
            problem = " ".join(str(error).split())
        if problem:
            raise WarehouseError(
                f"can't publish {target}: {problem.rstrip('.')}. The last copy is unchanged."
            )
        return target

    def _copy(self, target: Path, unfinished: Path) -> None:
        if not self.path.exists():
            raise WarehouseError(f"there is no warehouse {self.path} yet: load something first")
        with self.connect() as (file, _):
            file.connection.execute("CHECKPOINT")
        try:
            unfinished.unlink(missing_ok=True)
            shutil.copyfile(self.path, unfinished)
            unfinished.chmod(self.path.stat().st_mode & 0o444)
            unfinished.replace(target)
        finally:
            with suppress(OSError):
                unfinished.unlink()


def _program(problem: str) -> str:
    """The program that has the file open, as DuckDB's message names it."""
    held = _HOLDER.search(problem)
    return f"{held[1]} (process {held[2]})" if held else "another program"
