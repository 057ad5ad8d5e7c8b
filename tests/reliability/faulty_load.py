"""One load in a process of its own, with a fault at an exact point of it.

It loads into a DuckDB file, or with `--warehouse postgres` into a database of a server.

The hooks live here, outside the package: a function of dlt's or of ours is replaced in the child
process, which does harm to itself (a signal, a full disk) just before the function runs.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
import resource
import signal
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
from dlt.destinations._adbc_jobs import AdbcParquetCopyJob
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
from dlt.normalize.normalize import Normalize

from tests.support.throwaway_postgres import available as on_postgres
from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.adapter import ApiAdapter
from timetracking_assets.ingest.load import run as load
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Api
from timetracking_assets.warehouse.base import Warehouse
from timetracking_assets.warehouse.destination import DestinationWarehouse
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

STARTED = multiprocessing.get_context("forkserver")
# by names that need no path of the tests' own; imported once, a child has them at once
STARTED.set_forkserver_preload(
    [
        "pytest",
        # what an instance imports when it is opened
        "dagster._core.storage.sqlite_storage",
        "dlt.destinations.impl.duckdb.duck",
        "dlt.destinations.impl.postgres.postgres",
        "pyarrow.parquet",
        "sqlalchemy",
        "timetracking_assets.orchestration.assets",
    ]
)

COMMITTED = ("bookkeeping", "reporting", "clean-up")
"""The points at which the answer is in the table already."""

REFUSED = 3
"""Exit code of a load that failed with a message of ours, which is in the process's output."""


@dataclass(frozen=True)
class Job:
    """What to load, from where, into which file, or into the database at `url`; working files are
    beside `warehouse` then."""

    api: Api
    resource: str
    environment: Mapping[str, str]
    warehouse: Path
    window: Window | None = None
    url: str = ""

    def open(self, lock_timeout: float = 30) -> Warehouse:
        """The warehouse."""
        if self.url:
            home = self.warehouse.parent
            return DestinationWarehouse("postgres", home, self.url, lock_timeout=lock_timeout)
        return DuckDBFile(self.warehouse, lock_timeout=lock_timeout)

    def run(self) -> LoadReport:
        """The load as the product does it, in this process."""
        connection = Connection(self.api, self.environment)
        request = LoadRequest(
            connection, self.api.resources[self.resource], self.window, allow_removal=True
        )
        return load.run_load(request, self.open())


@dataclass(frozen=True)
class Fault:
    """What hits a load, and when: a signal's name, or `disk` and the path of a ballast file,
    or `files` (no file may grow any more)."""

    kind: str
    point: str
    ballast: Path | None = None

    def strike(self) -> None:
        """Do the harm. A signal that kills does not return."""
        if self.kind == "disk":
            assert self.ballast is not None
            fill(self.ballast)
        elif self.kind == "files":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        else:
            os.kill(os.getpid(), signal.Signals[self.kind])


def fill(ballast: Path) -> None:
    """Write until the disk is full."""
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1 << 8, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def start(job: Job, fault: Fault | None, output: Path) -> Any:
    """Start `job` in a new process, with `fault`; its output is written to the file `output`."""
    process = STARTED.Process(target=_main, args=(job, fault, str(output)))
    process.start()
    return process


def _main(job: Job, fault: Fault | None, output: str) -> None:
    redirect(output)
    if fault is not None:
        arm(fault)
    try:
        job.run()
    except BaseException as error:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        traceback.print_exc()
        print(error, flush=True)
        os._exit(REFUSED if isinstance(error, IngestError) else 1)


def redirect(output: str) -> None:
    """Write to the file `output` what this process prints, and let it be interrupted."""
    # the fork server ignores it, and a child would, too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(written, 1)
    os.dup2(written, 2)


def arm(fault: Fault) -> None:
    """Let `fault` strike once, when the load comes to its point."""
    struck = False

    def strike() -> None:
        nonlocal struck
        if not struck:
            struck = True
            fault.strike()

    if match := re.fullmatch(r"statement (\d+)", fault.point):
        _strike_at_statement(int(match[1]), strike)
    else:
        POINTS[fault.point](strike)


Strike = Callable[[], None]


def _before(owner: Any, name: str, *, call: int = 1) -> Callable[[Strike], None]:
    """Strike before the nth call of a function."""

    def hook(strike: Strike) -> None:
        original = getattr(owner, name)
        calls = 0

        def replacement(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                strike()
            return original(*arguments, **named)

        setattr(owner, name, replacement)

    return hook


def _after(owner: Any, name: str) -> Callable[[Strike], None]:
    """Strike when a function has done its work."""

    def hook(strike: Strike) -> None:
        original = getattr(owner, name)

        def replacement(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            strike()
            return result

        setattr(owner, name, replacement)

    return hook


def _before_sql(pattern: str) -> Callable[[Strike], None]:
    """Strike before a statement; of several sent at once, those before it are executed."""

    def hook(strike: Strike) -> None:
        sql_client = _sql_client()
        original = sql_client.execute_query

        def replacement(self: Any, query: Any, *arguments: Any, **named: Any) -> Any:
            if isinstance(query, str) and (match := re.search(pattern, query)):
                if query[: match.start()].strip():
                    _execute(self, query[: match.start()])
                    query = query[match.start() :]
                strike()
            return original(self, query, *arguments, **named)

        sql_client.execute_query = replacement

    return hook


def _sql_client() -> Any:
    """The class that sends dlt's statements to the warehouse of these tests."""
    return Psycopg2SqlClient if on_postgres() else DuckDbSqlClient


def _execute(client: Any, statement: str) -> None:
    connection = client.native_connection
    (connection.cursor() if on_postgres() else connection).execute(statement)


def _before_staging(strike: Strike) -> None:
    if on_postgres():
        # its driver copies a file without a statement
        _before(AdbcParquetCopyJob, "run")(strike)
    else:
        _before_sql(r'INSERT INTO "\w+_staging"\."(?!_dlt)')(strike)


def _before_commit_of_the_merge(strike: Strike) -> None:
    inserted = False

    def insert() -> None:
        nonlocal inserted
        inserted = True

    _before_sql(MERGED)(insert)
    sql_client = _sql_client()
    commit = sql_client.commit_transaction

    def replacement(self: Any) -> None:
        if inserted:
            strike()
        commit(self)

    sql_client.commit_transaction = replacement


def _strike_at_statement(number: int, strike: Strike) -> None:
    """Strike before the nth statement that dlt executes; a merge's two count as two."""
    sql_client = _sql_client()
    original = sql_client.execute_query
    count = 0

    def replacement(self: Any, query: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal count
        match = re.search(MERGED, query) if isinstance(query, str) else None
        parts = [query[: match.start()], query[match.start() :]] if match else [query]
        *first, last = [part for part in parts if not isinstance(part, str) or part.strip()]
        for part in [*first, last]:
            count += 1
            if count == number:
                strike()
            if part is not last:
                _execute(self, part)
        return original(self, last, *arguments, **named)

    sql_client.execute_query = replacement


MERGED = r'INSERT INTO "(?!\w*_staging")\w+"\."(?!_dlt)\w+"\('

POINTS: dict[str, Callable[[Strike], None]] = {
    "restore": _before(dlt.Pipeline, "sync_destination"),
    "extract": _before(ApiAdapter, "send", call=2),
    "normalize": _before(Normalize, "spool_files"),
    "before load": _before(dlt.Pipeline, "load"),
    "staging": _before_staging,
    "merge": _before_sql(MERGED),
    "commit": _before_commit_of_the_merge,
    "bookkeeping": _before_sql(r'INSERT INTO "\w+"\."_dlt_loads"'),
    "reporting": _after(dlt.Pipeline, "load"),
    "clean-up": _after(load, "_load"),
}
"""Where a load can be struck, in the order of a load."""
