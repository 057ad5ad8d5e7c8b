"""Waiting for a lock: one message after some seconds, one error at the end, and who holds it.

What a lock guards is decided where it is taken.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from timetracking_assets.errors import LockTimeoutError
from timetracking_assets.ingest.private_files import private_files

_SAY_AFTER_SECONDS = 5.0


def wait_for(
    attempt: Callable[[float], bool],
    what: str,
    held_by: Callable[[], str],
    timeout: float,
    log: Callable[[str], None] | None = None,
) -> float:
    """Call `attempt(seconds)`, which tries for so long, until it is true; the seconds it took.

    Raises LockTimeoutError after `timeout` seconds.
    """
    said = False
    started = time.monotonic()
    deadline = started + timeout
    while True:
        rest = deadline - time.monotonic()
        if attempt(max(0.0, min(rest, _SAY_AFTER_SECONDS))):
            return time.monotonic() - started
        if time.monotonic() >= deadline:
            break
        if log and not said:
            log(f"waiting for {what}, held by {held_by()}")
            said = True
    raise LockTimeoutError(
        f"waited {timeout:.0f} s for {what}, held by {held_by()}. Wait for that run to end, or "
        "raise the warehouse's `lock_timeout`."
    )


@contextmanager
def file_lock(
    path: Path,
    note: Path,
    what: str,
    holder: str,
    timeout: float,
    log: Callable[[str], None] | None = None,
) -> Iterator[float]:
    """The lock of the file `path`, with the seconds that it took; `note` says who has it.

    It is the kernel's, and holds on one machine: a killed process holds nothing. Raises
    LockTimeoutError.
    """
    lock = FileLock(path, mode=0o600, is_singleton=False)

    def attempt(seconds: float) -> bool:
        try:
            lock.acquire(timeout=seconds, poll_interval=0.02)
        except Timeout:
            return False
        return True

    waited = wait_for(attempt, what, lambda: _noted(note), timeout, log)
    try:
        with private_files():
            note.write_text(json.dumps({"holder": holder, "pid": os.getpid()}))
            yield waited
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _noted(note: Path) -> str:
    try:
        held = json.loads(note.read_text())
    except (OSError, ValueError):
        return "another process"
    return f"{held['holder']} (process {held['pid']})"
