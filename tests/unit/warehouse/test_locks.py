"""Waiting for a lock: what is logged, what is raised, and what a killed process leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clock import TickingClock
from timetracking_assets.errors import LockTimeoutError
from timetracking_assets.warehouse import locks
from timetracking_assets.warehouse.locks import file_lock, wait_for

HOLD = """
import sys, time
from pathlib import Path
from timetracking_assets.warehouse.locks import file_lock
lock, note = map(Path, sys.argv[1:])
with file_lock(lock, note, "the table", "another run", 5):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "lock", tmp_path / "note"


def test_a_free_lock_is_taken_at_once_and_given_back(paths: tuple[Path, Path]) -> None:
    for _ in range(2):
        with file_lock(*paths, "the table", "a run", 0) as waited:
            assert waited < 30
            assert f'"pid": {os.getpid()}' in paths[1].read_text()
        assert not paths[1].exists()


def test_an_error_inside_gives_it_back(paths: tuple[Path, Path]) -> None:
    with pytest.raises(KeyError), file_lock(*paths, "the table", "a run", 0):
        raise KeyError
    with file_lock(*paths, "the table", "a run", 0):
        pass


def test_whoever_waits_learns_for_whom(
    paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_LOG_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(locks, "time", TickingClock())
    logged: list[str] = []
    expected = r"waited 0 s for the table, held by a run \(process \d+\)\. Wait for that run"
    with file_lock(*paths, "the table", "a run", 0):
        with (
            pytest.raises(LockTimeoutError, match=expected),
            file_lock(*paths, "the table", "the next", 0.3, logged.append),
        ):
            pytest.fail("two had the lock")
        # the note of the one that has it is still there
        assert paths[1].exists()
    assert logged == [f"waiting for the table, held by a run (process {os.getpid()})"]


def test_a_killed_process_holds_nothing(paths: tuple[Path, Path]) -> None:
    command = [sys.executable, "-c", HOLD, *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with (
            pytest.raises(LockTimeoutError, match="held by another run"),
            file_lock(*paths, "the table", "a run", 0),
        ):
            pytest.fail("two had the lock")
        process.send_signal(signal.SIGKILL)
    with file_lock(*paths, "the table", "a run", 30):
        pass


@pytest.mark.parametrize("note", [None, "", "{"])
def test_a_note_that_cannot_be_read(paths: tuple[Path, Path], note: str | None) -> None:
    with file_lock(*paths, "the table", "a run", 0):
        paths[1].unlink() if note is None else paths[1].write_text(note)
        with (
            pytest.raises(LockTimeoutError, match="held by another process"),
            file_lock(*paths, "the table", "the next", 0),
        ):
            pytest.fail("two had the lock")


def test_attempts_are_made_until_one_succeeds() -> None:
    attempts = iter([False, False, True])
    seconds: list[float] = []

    def attempt(limit: float) -> bool:
        seconds.append(limit)
        return next(attempts)

    assert wait_for(attempt, "the table", lambda: "a run", 100) < 30
    assert seconds == [5.0, 5.0, 5.0]
