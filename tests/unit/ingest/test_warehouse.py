"""One process or thread holds the warehouse at a time; a killed one holds nothing."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from timetracking_assets.errors import LockTimeoutError, WarehouseError
from timetracking_assets.warehouse.base import quoted
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

HOLD = """
import sys
from pathlib import Path
from timetracking_assets.warehouse.duckdb_file import DuckDBFile
with DuckDBFile(Path(sys.argv[1])).exclusive("hours/entries of run 7"):
    print("held", flush=True)
    sys.stdin.read()
"""
OPEN = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def process(script: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, running `script` until it is killed."""
    started = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=-1, stdout=-1, text=True
    )
    try:
        assert started.stdout is not None
        assert started.stdout.readline().strip()
        yield started
    finally:
        started.kill()
        started.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "warehouse.duckdb"


def test_a_holder_in_another_process_excludes_and_is_named_and_when_killed_frees(
    path: Path,
) -> None:
    said: list[str] = []
    with process(HOLD, path) as holder:
        named = f"held by hours/entries of run 7 \\(process {holder.pid}\\)"
        with (
            pytest.raises(LockTimeoutError, match=f"waited 0 s .*{named}.*`lock_timeout`"),
            DuckDBFile(path, lock_timeout=0.2).exclusive("me", said.append),
        ):
            pass
        holder.kill()
        holder.wait()
        with DuckDBFile(path, lock_timeout=5).exclusive("me") as warehouse:
            assert warehouse.number("SELECT 1") == 1
            assert warehouse.waited < 5


def test_threads_exclude_each_other(path: Path) -> None:
    inside, most = 0, 0
    warehouse = DuckDBFile(path, lock_timeout=30)

    def hold() -> None:
        nonlocal inside, most
        for _ in range(3):
            with warehouse.exclusive("a thread") as held:
                inside += 1
                most = max(most, inside)
                held.scratch.execute("CREATE OR REPLACE TABLE t AS SELECT 1")
                time.sleep(0.005)
                inside -= 1

    threads = [threading.Thread(target=hold) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)


def test_it_is_free_after_an_error_and_leaves_no_note(path: Path) -> None:
    warehouse = DuckDBFile(path, lock_timeout=1)
    with pytest.raises(KeyError), warehouse.exclusive("me"):
        raise KeyError
    with warehouse.exclusive("me") as held:
        assert held.waited < 1
    assert not path.with_name("warehouse.duckdb.holder").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_directory_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with (
        pytest.raises(WarehouseError, match=r"permission denied.*TIMETRACKING_WAREHOUSE"),
        DuckDBFile(tmp_path / "w.duckdb").exclusive("me"),
    ):
        pass


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(WarehouseError, match=r"can't write the warehouse .*TIMETRACKING_WAREHOUSE"),
        DuckDBFile(tmp_path / "file" / "w.duckdb").exclusive("me"),
    ):
        pass


def test_a_file_that_another_program_has_open(path: Path) -> None:
    path.parent.mkdir()
    warehouse = DuckDBFile(path, lock_timeout=1)
    with (
        process(OPEN, path),
        pytest.raises(WarehouseError, match=r"can't open .*Close the other program"),
        warehouse.exclusive("me"),
    ):
        pass
    with warehouse.exclusive("me") as held:
        assert held.number("SELECT 1") == 1


def test_a_file_that_is_no_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("not a database")
    with pytest.raises(WarehouseError, match=r"Check the file"), DuckDBFile(path).exclusive("me"):
        pass


def test_column_types_in_order(path: Path) -> None:
    with DuckDBFile(path).exclusive("me") as held:
        assert held.column_types("hours", "entries") == {}
        held.scratch.execute("CREATE SCHEMA hours")
        held.scratch.execute("CREATE TABLE hours.entries (id BIGINT, begun TIMESTAMPTZ, x JSON)")
        held.scratch.execute("CREATE TABLE main.entries (other BIGINT)")
        types = held.column_types("hours", "entries")
    assert list(types.items()) == [
        ("id", "bigint"),
        ("begun", "timestamp"),
        ("x", "json"),
    ]


def test_names_are_quoted() -> None:
    name = 'a"; DROP TABLE t; --'
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE {quoted('main', name)} AS SELECT 1 AS {quoted('x y')}")
        assert connection.execute(f"SELECT * FROM {quoted(name)}").fetchall() == [(1,)]


def test_an_apostrophe_in_the_path_is_refused(tmp_path: Path) -> None:
    """dlt doesn't escape it where it reads the files that it loads."""
    with pytest.raises(WarehouseError, match="has an apostrophe"):
        DuckDBFile(tmp_path / "it's.duckdb").prepare()


def test_who_waits_says_so_and_for_whom(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timetracking_assets.warehouse.locks._SAY_AFTER_SECONDS", 0.1)
    said: list[str] = []
    with (
        process(HOLD, path),
        pytest.raises(LockTimeoutError),
        DuckDBFile(path, lock_timeout=0.5).exclusive("a test", said.append),
    ):
        pass
    [line] = said
    assert "waiting for the warehouse" in line
    assert "held by hours/entries of run 7" in line
