"""Working directories: private, gone with their load, also after a killed process."""

import subprocess
import sys
from pathlib import Path

import pytest

from timetracking_assets.ingest.workdir import private_work_dir

HOLD = """
import sys
from pathlib import Path
from timetracking_assets.ingest.workdir import private_work_dir
with private_work_dir(Path(sys.argv[1])) as path:
    print(path, flush=True)
    sys.stdin.read()
"""


def test_it_is_new_private_and_removed(tmp_path: Path) -> None:
    parent = tmp_path / "deep" / "loads"
    with private_work_dir(parent) as first, private_work_dir(parent) as second:
        assert first != second
        assert first.parent == second.parent == parent
        assert first.stat().st_mode & 0o077 == 0
        assert parent.stat().st_mode & 0o077 == 0
        (first / "package").mkdir()
    assert list(parent.iterdir()) == []


def test_it_is_removed_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), private_work_dir(tmp_path):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


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
            assert sorted(tmp_path.iterdir()) == sorted([mine, foreign])
    finally:
        held.kill()
        held.communicate()


def test_one_that_is_just_being_made_is_kept(tmp_path: Path) -> None:
    unlocked = tmp_path / "load-new"
    unlocked.mkdir()
    with private_work_dir(tmp_path):
        assert unlocked.exists()
