"""The demo looks at its warehouse before it starts anything that would wait for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from timetracking_assets.cli.demo import check_warehouse
from timetracking_assets.errors import LockTimeoutError, WarehouseError
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

HOLD = """
import sys, duckdb
with duckdb.connect(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_file_that_another_program_has_open_is_named(tmp_path: Path) -> None:
    warehouse = DuckDBFile(tmp_path / "warehouse.duckdb")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, warehouse.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"open\n"
        with pytest.raises(LockTimeoutError, match=rf"process {program.pid}.*Close that program"):
            check_warehouse(warehouse, ["time_tracking"], patience=0.1)
        assert program.stdin is not None
        program.stdin.close()
    check_warehouse(warehouse, ["time_tracking"])


def test_a_run_that_keeps_the_warehouse_is_named(tmp_path: Path) -> None:
    warehouse = DuckDBFile(tmp_path / "warehouse.duckdb")
    with (
        warehouse.exclusive("run 1"),
        pytest.raises(LockTimeoutError, match=r"held by run 1 .*Wait for that run to end"),
    ):
        check_warehouse(warehouse, ["time_tracking"], patience=0.1)


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "warehouse.duckdb", tmp_path):
        with pytest.raises(WarehouseError, match=r"can't (write|open) the warehouse"):
            check_warehouse(DuckDBFile(path), ["time_tracking"])


def test_a_warehouse_is_not_made_before_something_is_loaded(tmp_path: Path) -> None:
    warehouse = DuckDBFile(tmp_path / "new" / "warehouse.duckdb")
    check_warehouse(warehouse, ["time_tracking"])
    assert not warehouse.path.exists()
    duckdb.connect(str(warehouse.path)).close()
    check_warehouse(warehouse, ["time_tracking"])
