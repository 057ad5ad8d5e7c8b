"""Files and working directories are the user's own, and gone with their load."""

import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

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


HOLD = """
import sys
from pathlib import Path
from timetracking_assets.warehouse.private_files import private_work_dir
with private_work_dir(Path(sys.argv[1])) as path:
    print(path, flush=True)
    sys.stdin.read()
"""


def directories(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir())


def test_it_is_new_private_and_removed(tmp_path: Path) -> None:
    parent = tmp_path / "deep" / "loads"
    with private_work_dir(parent) as first, private_work_dir(parent) as second:
        assert first != second
        assert first.parent == second.parent == parent
        assert first.stat().st_mode & 0o077 == 0
        assert parent.stat().st_mode & 0o077 == 0
        (first / "package").mkdir()
    assert directories(parent) == []


def test_it_is_removed_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), private_work_dir(tmp_path):
        raise KeyboardInterrupt
    assert directories(tmp_path) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_kept(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    held = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)
    try:
        assert held.stdout is not None
        path = Path(held.stdout.readline().strip())
        (path / "package").write_text("half")
        foreign = tmp_path / "something-else"
        foreign.mkdir()
        (foreign / ".lock").touch()
        with private_work_dir(tmp_path):
            assert (path / "package").read_text() == "half"
        held.kill()
        held.wait()
        assert path.exists()
        with private_work_dir(tmp_path) as mine:
            assert not path.exists()
            assert directories(tmp_path) == sorted([mine, foreign])
    finally:
        held.kill()
        held.communicate()


def test_one_without_its_lock_is_removed(tmp_path: Path) -> None:
    """A process was killed, or the disk was full, just when it was made."""
    unlocked = tmp_path / "load-new"
    unlocked.mkdir()
    with private_work_dir(tmp_path):
        assert not unlocked.exists()


def test_nothing_is_left_if_it_cannot_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full: a directory can be made, a file in it can't."""
    acquire = FileLock.acquire

    def no_space(lock: FileLock, *arguments: Any, **named: Any) -> Any:
        if "load-" in lock.lock_file:
            raise OSError(errno.ENOSPC, "No space left on device")
        return acquire(lock, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(FileLock, "acquire", no_space)
        with pytest.raises(OSError, match="No space left"), private_work_dir(tmp_path):
            pass
    with private_work_dir(tmp_path) as mine:
        assert directories(tmp_path) == [mine]


def test_many_at_once_take_nothing_from_each_other(tmp_path: Path) -> None:
    def use(number: int) -> bool:
        with private_work_dir(tmp_path) as path:
            (path / "package").write_text(str(number))
            time.sleep(0.002)
            return (path / "package").read_text() == str(number)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(64)))
    assert directories(tmp_path) == []
