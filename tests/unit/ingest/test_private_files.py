"""What a load writes is its user's own, whatever the umask says."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from timetracking_assets.ingest.warehouse import Warehouse
from timetracking_assets.ingest.workdir import private_work_dir


@pytest.fixture(autouse=True)
def generous_umask() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


def modes(top: Path) -> dict[str, int]:
    return {
        str(path.relative_to(top)): stat.S_IMODE(path.stat().st_mode) for path in top.rglob("*")
    }


def test_the_warehouse_and_all_beside_it_are_private(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "new" / "deeper" / "warehouse.duckdb")
    with warehouse.exclusive("me") as held, private_work_dir(warehouse.work_dir) as work_dir:
        held.connection.execute("CREATE TABLE t AS SELECT 1 AS x")
        (work_dir / "by_dlt").mkdir()
        found = modes(tmp_path)
    directories = {"new", "new/deeper", "new/deeper/warehouse.duckdb.loads"}
    assert directories < found.keys()
    assert {name for name in found if name.endswith((".duckdb", ".wal", ".lock", ".holder"))} >= {
        f"new/deeper/warehouse.duckdb{suffix}" for suffix in ("", ".wal", ".lock", ".holder")
    }
    own = str(work_dir.relative_to(tmp_path))
    # what is inside a private directory is as private as that
    exposed = {
        name: oct(mode) for name, mode in found.items() if mode & 0o077 and not name.startswith(own)
    }
    assert exposed == {}
    assert found[own] == 0o700


def test_a_file_made_before_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    path.touch()
    with Warehouse(path).exclusive("me"):
        pass
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_the_umask_is_as_it_was(tmp_path: Path) -> None:
    with Warehouse(tmp_path / "warehouse.duckdb").exclusive("me"):
        pass
    assert os.umask(0o000) == 0o000
