"""What a load writes is its user's own, whatever the umask says."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from timetracking_assets.warehouse.duckdb_file import DuckDBFile
from timetracking_assets.warehouse.private_files import private_files, private_work_dir


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
    warehouse = DuckDBFile(tmp_path / "new" / "deeper" / "warehouse.duckdb")
    with warehouse.exclusive("me") as held, private_work_dir(warehouse.work_dir) as work_dir:
        held.scratch.execute("CREATE TABLE t AS SELECT 1 AS x")
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


def test_a_mode_that_its_user_chose_stays(tmp_path: Path) -> None:
    warehouse = DuckDBFile(tmp_path / "warehouse.duckdb")
    with warehouse.exclusive("me"):
        pass
    warehouse.path.chmod(0o640)
    with warehouse.exclusive("me"):
        pass
    assert stat.S_IMODE(warehouse.path.stat().st_mode) == 0o640


def test_threads_that_overlap_leave_the_umask_as_it_was() -> None:
    first, second = private_files(), private_files()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert os.umask(0o077) == 0o077
    second.__exit__(None, None, None)
    assert os.umask(0o000) == 0o000


def test_the_umask_is_as_it_was(tmp_path: Path) -> None:
    with DuckDBFile(tmp_path / "warehouse.duckdb").exclusive("me"):
        pass
    assert os.umask(0o000) == 0o000
