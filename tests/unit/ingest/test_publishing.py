"""The published copy: readable at all times, replaced as a whole, never half-written."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from timetracking_assets.errors import LockTimeoutError, WarehouseError
from timetracking_assets.warehouse.duckdb_file import DuckDBFile, publish

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
    assert publish(warehouse, "a test").name == "warehouse.published.duckdb"
    with warehouse.exclusive("a writer") as opened:
        opened.scratch.execute("INSERT INTO t VALUES (10)")
        assert read_in_another_process(warehouse) == 1
        with warehouse.reading("a reader") as copy:
            assert copy.number("SELECT sum(n) FROM t") == 1
    publish(warehouse, "a test")
    assert read_in_another_process(warehouse) == 11


def test_who_reads_goes_on_reading_the_old_copy(warehouse: DuckDBFile) -> None:
    publish(warehouse, "a test")
    with warehouse.reading("a reader") as copy:
        insert(warehouse, 10)
        publish(warehouse, "a test")
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
    publish(warehouse, "a test")
    assert read_in_another_process(warehouse) == 11


def test_the_copy_can_only_be_read_and_by_no_one_else(warehouse: DuckDBFile) -> None:
    warehouse.path.chmod(0o600)
    assert stat.S_IMODE(publish(warehouse, "a test").stat().st_mode) == 0o400


def test_a_full_disk_leaves_the_last_copy(
    warehouse: DuckDBFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(warehouse, "a test")
    insert(warehouse, 10)

    def write_half(source: Any, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", write_half)
    with pytest.raises(WarehouseError, match=r"No space left on device\. The last copy"):
        publish(warehouse, "a test")
    assert read_in_another_process(warehouse) == 1
    assert not list(warehouse.path.parent.glob("*.new"))


def test_nothing_to_publish(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"no warehouse .* yet: load something first"):
        publish(DuckDBFile(tmp_path / "none.duckdb"), "a test")


def test_a_copy_is_not_a_table_of_the_warehouse(warehouse: DuckDBFile) -> None:
    with duckdb.connect(str(publish(warehouse, "a test")), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert names == [("t",)]
