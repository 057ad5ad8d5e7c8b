"""Working directories: private, gone with their load, also after a killed process."""

import errno
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from timetracking_assets.warehouse.private_files import private_work_dir

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
