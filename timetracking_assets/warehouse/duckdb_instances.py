"""A DuckDB file opened by an instance that this process keeps, which holds no file meanwhile.

To make an instance takes DuckDB 20 ms of processor time, to attach a file to one less than 1 ms;
a small load opens its file three times. What is done with an open file is in `duckdb_file.py`.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from threading import Lock

import duckdb

from timetracking_assets.warehouse.base import literal, quoted

_MOST_IDLE = 2
_NO_FILE = "(no file)"
"""The database of an instance while no file is attached: its usual one, `memory`, has a name that
an API or a file may have."""
_DATABASES = "SELECT database_name, path FROM duckdb_databases()"

_lock = Lock()
_idle: list[tuple[Path, duckdb.DuckDBPyConnection]] = []


class OpenFile:
    """The file `path`, opened. `connection` is a session whose database it is, by the name
    `database`; `databases` are the names of all that DuckDB then knows.

    It shares the database with connections that this process has opened by itself. Raises
    duckdb.Error where the file can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._instance: duckdb.DuckDBPyConnection | None = _take(path)
        try:
            self._instance.execute(f"ATTACH {literal(str(path))} (TYPE duckdb)")
            self.connection = self._instance.cursor()
            paths = dict(self.connection.execute(_DATABASES).fetchall())
            self.databases = list(paths)
            [self.database] = [name for name, stored in paths.items() if stored]
            self.connection.execute(f"USE {quoted(self.database)}")
        except duckdb.Error as error:
            instance, self._instance = self._instance, None
            if "Could not set lock on file" in str(error).replace(str(path), ""):
                _keep(path, instance)
                raise
            instance.close()
            # another connection of this process may have it open, which this one then shares
            self.connection = duckdb.connect(str(path))
            self.databases = [name for name, _ in self.connection.execute(_DATABASES).fetchall()]
            query = "SELECT current_database()"
            [[self.database]] = self.connection.execute(query).fetchall()

    def close(self, *, failed: bool = False) -> None:
        """Leave the file to others; what has `failed` may have left sessions or locks behind."""
        self.connection.close()
        instance, self._instance = self._instance, None
        if instance is None:
            return
        try:
            instance.execute(f"DETACH {quoted(self.database)}")
        except duckdb.Error:
            # such as a full disk when the log is written into the file: the log is kept, and read
            # when the file is opened next
            failed = True
        # with an instance goes what it has written to the disk for lack of memory
        if failed or _spill(self._path).exists():
            instance.close()
        else:
            _keep(self._path, instance)


def _spill(path: Path) -> Path:
    """Where DuckDB writes what does not fit into memory, if it opens the file by itself."""
    return Path(f"{path}.tmp")


def _take(path: Path) -> duckdb.DuckDBPyConnection:
    """An instance that has been used for `path`, or a new one."""
    with _lock:
        for entry in _idle:
            if entry[0] == path:
                _idle.remove(entry)
                return entry[1]
    instance = duckdb.connect(config={"temp_directory": str(_spill(path))})
    instance.execute(f"ATTACH ':memory:' AS {quoted(_NO_FILE)}")
    instance.execute(f"USE {quoted(_NO_FILE)}")
    instance.execute("DETACH memory")
    return instance


def _keep(path: Path, instance: duckdb.DuckDBPyConnection) -> None:
    with _lock:
        _idle.append((path, instance))
        surplus = [_idle.pop(0) for _ in range(len(_idle) - _MOST_IDLE)]
    for _, other in surplus:
        other.close()


@atexit.register
def _close_all() -> None:
    while _idle:
        _idle.pop()[1].close()


def _before_fork() -> None:
    # a forked process could neither use an instance nor end it: that waits for threads which only
    # its parent has
    _lock.acquire()
    _close_all()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_lock.release, after_in_child=_lock.release
    )
