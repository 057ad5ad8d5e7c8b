"""Waiting for a lock, a file's or PostgreSQL's: a message after some seconds, an error at the end.

What a lock guards is decided where it is taken. PostgreSQL's advisory lock belongs to a session and
ends with it, so that a killed process holds nothing. It needs a session of its own, which a pooler
that shares sessions between clients does not give.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import ENOSPC
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from timetracking_assets.errors import LockTimeoutError, WarehouseError
from timetracking_assets.warehouse.base import literal
from timetracking_assets.warehouse.private_files import private_files, refusing_unusable

_LOG_AFTER_SECONDS = 5.0


def wait_for(
    attempt: Callable[[float], bool],
    what: str,
    held_by: Callable[[], str],
    timeout: float,
    log: Callable[[str], None] | None = None,
    advice: str = "Wait for that run to end",
) -> float:
    """Call `attempt(seconds)`, which tries for so long, until it is true; the seconds it took.

    Raises LockTimeoutError after `timeout` seconds, with the `advice` on what to do about the
    holder.
    """
    logged = False
    started = time.monotonic()
    deadline = started + timeout
    while True:
        rest = deadline - time.monotonic()
        if attempt(max(0.0, min(rest, _LOG_AFTER_SECONDS))):
            return time.monotonic() - started
        if time.monotonic() >= deadline:
            break
        if log and not logged:
            log(f"waiting for {what}, held by {held_by()}")
            logged = True
    raise LockTimeoutError(
        f"waited {timeout:.0f} s for {what}, held by {held_by()}. {advice}, or raise "
        "the warehouse's `lock_timeout`."
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
    LockTimeoutError, or WarehouseError where the files can't be made.
    """
    lock = FileLock(path, mode=0o600, is_singleton=False)

    def attempt(seconds: float) -> bool:
        try:
            lock.acquire(timeout=seconds, poll_interval=0.02)
        except Timeout:
            return False
        return True

    with refusing_unusable(path):
        waited = wait_for(attempt, what, lambda: _noted(note), timeout, log)
    try:
        with private_files():
            with refusing_unusable(note):
                _write_note(note, holder)
            yield waited
    finally:
        with suppress(OSError):
            note.unlink()
        lock.release()


def _write_note(note: Path, holder: str) -> None:
    try:
        note.write_text(json.dumps({"holder": holder, "pid": os.getpid()}))
    except OSError as error:
        # a full disk: the lock is held all the same
        if error.errno != ENOSPC:
            raise


def _noted(note: Path) -> str:
    try:
        held = json.loads(note.read_text())
    except (OSError, ValueError):
        return "another process"
    return f"{held['holder']} (process {held['pid']})"


_PAUSE_SECONDS = 0.05


@contextmanager
def advisory_lock(
    rows: Callable[[str], list[tuple[Any, ...]]],
    dataset: str,
    what: str,
    holder: str,
    timeout: float,
    log: Callable[[str], None] | None = None,
) -> Iterator[float]:
    """The lock of `dataset`, with the seconds that it took; `rows` asks in the lock's session.

    Raises LockTimeoutError.
    """
    key = f"{_number('timetracking_assets')}, {_number(dataset)}"
    # seen by others in `pg_stat_activity`, the first 63 characters of it
    rows(f"SELECT set_config('application_name', {literal(holder)}, false)")

    def attempt(seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not rows(f"SELECT pg_try_advisory_lock({key})")[0][0]:
            if time.monotonic() + _PAUSE_SECONDS > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True

    waited = wait_for(attempt, what, lambda: _holder(rows, dataset), timeout, log)
    try:
        yield waited
    finally:
        # a session that has ended has released it
        with suppress(WarehouseError):
            rows(f"SELECT pg_advisory_unlock({key})")


def _holder(rows: Callable[[str], list[tuple[Any, ...]]], dataset: str) -> str:
    holders = rows(
        "SELECT a.application_name, coalesce(host(a.client_addr), 'local') FROM pg_locks l "
        "JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted "
        f"AND l.objsubid = 2 AND l.objid = {_number(dataset) % 2**32} "
        f"AND l.classid = {_number('timetracking_assets') % 2**32} "
        "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return f"{holders[0][0]} ({holders[0][1]})" if holders else "another session"


def _number(name: str) -> int:
    """`name` as one of PostgreSQL's integers: 32 bits, signed."""
    return zlib.crc32(name.encode()) - 2**31
