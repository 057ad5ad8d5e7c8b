"""The DuckDB file has one user at a time; its published copy is whole and readable at all times."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
import pytest

from tests.support.clock import TickingClock
from timetracking_assets.errors import IngestError, LockTimeoutError, WarehouseError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.warehouse.base import quoted
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

if TYPE_CHECKING:
    from tests.unit.conftest import Stub
    from timetracking_assets.spec.api import Api

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
        with DuckDBFile(path, lock_timeout=30).exclusive("me") as warehouse:
            assert warehouse.number("SELECT 1") == 1


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
    warehouse = DuckDBFile(path, lock_timeout=60)
    with pytest.raises(KeyError), warehouse.exclusive("me"):
        raise KeyError
    with warehouse.exclusive("me") as held:
        assert held.waited < 30
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
        pytest.raises(LockTimeoutError, match=r"held by .*python.* \(process \d+\)\. Close that"),
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


def test_a_file_that_another_program_closes_in_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    messages: list[str] = []
    with process(OPEN, path) as other:
        pause = time.sleep

        def close_meanwhile(seconds: float) -> None:
            other.kill()
            pause(seconds)

        monkeypatch.setattr(time, "sleep", close_meanwhile)
        with DuckDBFile(path, lock_timeout=30).exclusive("me", messages.append) as held:
            assert held.waited > 0
        assert other.poll() is not None
    assert not messages


def test_publishing_waits_for_another_program(warehouse: DuckDBFile) -> None:
    with process(OPEN, warehouse.path) as other:
        with pytest.raises(LockTimeoutError, match=rf"held by .* \(process {other.pid}\)"):
            DuckDBFile(warehouse.path, lock_timeout=0.2).publish("me")
        threading.Timer(0.5, other.kill).start()
        DuckDBFile(warehouse.path, lock_timeout=30).publish("me")


def damaged(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(64) + data[at + 64 :]


def test_a_damaged_log_is_moved_away_as_the_message_says(warehouse: DuckDBFile) -> None:
    script = (
        "import sys, os, duckdb; c = duckdb.connect(sys.argv[1]); "
        "c.execute('INSERT INTO t SELECT * FROM range(100)'); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", script, str(warehouse.path)], check=False)
    log = Path(f"{warehouse.path}.wal")
    log.write_bytes(damaged(log.read_bytes(), 200))
    with (
        pytest.raises(WarehouseError, match="log is damaged") as refused,
        warehouse.exclusive("me"),
    ):
        pass
    [advice] = re.findall(r"`(mv .*?)`", str(refused.value))
    subprocess.run(advice.split(), check=True)
    with warehouse.exclusive("me") as held:
        assert held.rows("SELECT n FROM t") == [(1,)]


def test_a_damaged_file_is_restored_from_the_copy_as_the_message_says(
    warehouse: DuckDBFile, load_into: Callable[[DuckDBFile], LoadReport]
) -> None:
    load_into(warehouse)
    copy = warehouse.publish("me")
    data = warehouse.path.read_bytes()
    for broken in (data[: len(data) // 2], damaged(data, 12288 + 100)):
        warehouse.path.write_bytes(broken)
        with pytest.raises(IngestError, match=r"The file is damaged\. Restore") as refused:
            load_into(warehouse)
        assert str(copy) in str(refused.value)
    shutil.copyfile(copy, warehouse.path)
    assert load_into(warehouse).changes.unchanged == 1


@pytest.mark.parametrize("name", [".lock", ".holder", ".loads/.lock"])
def test_a_directory_in_the_place_of_a_file(
    warehouse: DuckDBFile, load_into: Callable[[DuckDBFile], LoadReport], name: str
) -> None:
    place = Path(f"{warehouse.path}{name}")
    place.unlink(missing_ok=True)
    place.mkdir(parents=True)
    with pytest.raises(WarehouseError, match=rf"write the file .*{name}, .*: is a directory\. Rem"):
        load_into(warehouse)
    place.rmdir()
    load_into(warehouse)


def test_names_are_quoted() -> None:
    name = 'a"; DROP TABLE t; --'
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE {quoted('main', name)} AS SELECT 1 AS {quoted('x y')}")
        assert connection.execute(f"SELECT * FROM {quoted(name)}").fetchall() == [(1,)]


def test_an_apostrophe_in_the_path_is_refused(tmp_path: Path) -> None:
    """dlt doesn't escape it where it reads the files that it loads."""
    with pytest.raises(WarehouseError, match="has a ' in it"):
        DuckDBFile(tmp_path / "it's.duckdb").prepare()


def test_who_waits_says_so_and_for_whom(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timetracking_assets.warehouse.locks._LOG_AFTER_SECONDS", 0.1)
    monkeypatch.setattr("timetracking_assets.warehouse.locks.time", TickingClock())
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


READ = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    print(connection.execute("SELECT sum(n) FROM t").fetchone()[0])
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBFile:
    made = DuckDBFile(tmp_path / "warehouse.duckdb", lock_timeout=0.1)
    with made.exclusive("a test") as opened:
        opened.scratch.execute("CREATE TABLE t AS SELECT 1 AS n")
    return made


def insert(warehouse: DuckDBFile, number: int) -> None:
    with warehouse.exclusive("a test") as opened:
        opened.scratch.execute(f"INSERT INTO t VALUES ({number})")


def read_in_another_process(warehouse: DuckDBFile) -> int:
    command = [sys.executable, "-c", READ, str(warehouse.published)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_others_read_the_copy_while_the_warehouse_is_written(warehouse: DuckDBFile) -> None:
    assert warehouse.publish("a test").name == "warehouse.published.duckdb"
    with warehouse.exclusive("a writer") as opened:
        opened.scratch.execute("INSERT INTO t VALUES (10)")
        assert read_in_another_process(warehouse) == 1
        with warehouse.reading("a reader") as copy:
            assert copy.number("SELECT sum(n) FROM t") == 1
    warehouse.publish("a test")
    assert read_in_another_process(warehouse) == 11


def test_who_reads_goes_on_reading_the_old_copy(warehouse: DuckDBFile) -> None:
    warehouse.publish("a test")
    with warehouse.reading("a reader") as copy:
        insert(warehouse, 10)
        warehouse.publish("a test")
        assert copy.number("SELECT sum(n) FROM t") == 1
    with warehouse.reading("a reader") as copy:
        assert copy.number("SELECT sum(n) FROM t") == 11


def test_before_anything_is_published_readers_wait_for_the_warehouse(warehouse: DuckDBFile) -> None:
    with warehouse.reading("a reader") as opened:
        assert opened.number("SELECT sum(n) FROM t") == 1
    with (
        warehouse.exclusive("a writer"),
        pytest.raises(LockTimeoutError),
        warehouse.reading("a reader"),
    ):
        pass


def test_what_was_not_yet_in_the_file_is_published_too(warehouse: DuckDBFile) -> None:
    """A killed process leaves its rows in the log beside the file."""
    script = (
        "import sys, os, duckdb; c = duckdb.connect(sys.argv[1]); "
        "c.execute('INSERT INTO t VALUES (10)'); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", script, str(warehouse.path)], check=False)
    assert Path(f"{warehouse.path}.wal").exists()
    warehouse.publish("a test")
    assert read_in_another_process(warehouse) == 11


def test_the_copy_can_only_be_read_and_by_no_one_else(warehouse: DuckDBFile) -> None:
    warehouse.path.chmod(0o600)
    assert stat.S_IMODE(warehouse.publish("a test").stat().st_mode) == 0o400


def test_a_full_disk_leaves_the_last_copy(
    warehouse: DuckDBFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.publish("a test")
    insert(warehouse, 10)

    def write_half(source: Any, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", write_half)
    with pytest.raises(WarehouseError, match=r"No space left on device\. The last copy"):
        warehouse.publish("a test")
    assert read_in_another_process(warehouse) == 1
    assert not list(warehouse.path.parent.glob("*.new"))


def test_a_disk_that_is_full_for_duckdb_leaves_the_last_copy(
    warehouse: DuckDBFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.publish("a test")

    class Full:
        def __enter__(self) -> tuple[Any, float]:
            raise duckdb.IOException("IO Error: Could not write file: No space left on device")

        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(DuckDBFile, "connect", lambda self: Full())
    with pytest.raises(WarehouseError, match=r"No space left on device\. The last copy is unch"):
        warehouse.publish("a test")
    monkeypatch.undo()
    assert read_in_another_process(warehouse) == 1


def test_nothing_to_publish(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"no warehouse .* yet: load something first"):
        DuckDBFile(tmp_path / "none.duckdb").publish("a test")


def test_a_copy_is_not_a_table_of_the_warehouse(warehouse: DuckDBFile) -> None:
    with duckdb.connect(str(warehouse.publish("a test")), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert names == [("t",)]


@pytest.fixture
def load_into(api: Callable[..., Api], stub: Stub) -> Callable[[DuckDBFile], LoadReport]:
    """Loads one row into a warehouse."""
    spec = api({"name": "entries", "endpoint": {"path": "entries"}})
    connection = Connection(spec, {"HOURS_BASE_URL": stub.url})
    return lambda warehouse: run_load(LoadRequest(connection, spec.resources["entries"]), warehouse)


@pytest.mark.parametrize("directory", ["env=prod", "a%20b", "year=2026/100%"])
def test_a_path_that_says_something_to_duckdb_is_a_path(
    tmp_path: Path, directory: str, load_into: Callable[[DuckDBFile], LoadReport]
) -> None:
    warehouse = DuckDBFile(tmp_path / directory / "warehouse.duckdb")
    for _ in range(2):
        assert load_into(warehouse).changes.row_count == 1
    with warehouse.reading("a test") as opened:
        assert set(opened.column_types("hours", "entries")) == {"id"}
    assert not list(warehouse.work_dir.glob("load-*"))
    # copies and reports are where they are looked for
    assert warehouse.directory == tmp_path / directory


@pytest.mark.parametrize("name", ["a'b", "a?b", "a\\b"])
def test_a_path_that_cannot_be_used_is_refused_before_anything_is_requested(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(WarehouseError, match="Set TIMETRACKING_WAREHOUSE to a path without it"):
        DuckDBFile(tmp_path / name / "warehouse.duckdb").prepare()


@pytest.mark.parametrize("name", ["hours.duckdb", "HOURS.db", "hours_staging.x.duckdb"])
def test_a_file_with_the_name_of_the_api_is_refused(tmp_path: Path, name: str) -> None:
    warehouse = DuckDBFile(tmp_path / name)
    with (
        pytest.raises(WarehouseError, match="has the name of the API hours"),
        warehouse.exclusive("a test", dataset="hours"),
    ):
        pass


@pytest.mark.parametrize("folder", ["clockwork", "lock", "data"])
def test_no_database_is_called_so_wherever_it_is(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "w.duckdb"
    path.parent.mkdir()
    path.write_text("this is not a database")
    with (
        pytest.raises(WarehouseError, match=r"not a valid DuckDB database file.*Check the file"),
        DuckDBFile(path).exclusive("a test", dataset="hours"),
    ):
        pass


def test_clients_of_one_destination_share_its_settings_alone(
    warehouse: DuckDBFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting of dlt's reaches each client; datasets and sessions are its own."""
    monkeypatch.setenv("DESTINATION__DUCKDB__ENABLE_DATASET_NAME_NORMALIZATION", "false")
    with warehouse.exclusive("a test", dataset="hours") as file:
        destination = file.destination()
        dlt.pipeline("hours__entries", str(warehouse.directory), destination=destination)
        clients = []
        for dataset in ("One", "Two"):
            config = destination.spec()
            config.dataset_name = dataset
            clients.append(destination.client(dlt.Schema(f"schema_{dataset.lower()}"), config))
        one, two = (client.config for client in clients)
        assert [client.sql_client.dataset_name for client in clients] == ["One", "Two"]
        assert one.is_resolved()
        assert two.is_resolved()
        with clients[0].sql_client as first, clients[1].sql_client as second:
            assert first.native_connection is not second.native_connection
            for opened in (first, second):
                assert opened.execute_sql("SELECT current_database()") == [("warehouse",)]
