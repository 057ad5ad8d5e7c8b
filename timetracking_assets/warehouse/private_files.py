"""Files and working directories that only their user may read; a directory goes with its load.

DuckDB and dlt make files as the umask says, and have no setting for another mode.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from timetracking_assets.errors import WarehouseError

_umask_lock = Lock()
_inside = 0
_before = 0


@contextmanager
def private_files() -> Iterator[None]:
    """Files made inside are for the user alone (0600, directories 0700); existing ones stay.

    The umask is the whole process's, so that what other threads make meanwhile is private, too.
    """
    global _inside, _before
    with _umask_lock:
        if not _inside:
            _before = os.umask(0o077)
        _inside += 1
    try:
        yield
    finally:
        with _umask_lock:
            _inside -= 1
            if not _inside:
                os.umask(_before)


@contextmanager
def refusing_unusable(path: Path) -> Iterator[None]:
    """Raise WarehouseError where `path`, a file that loads make and need, can't be used as one."""
    problem = ""
    try:
        yield
    except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
        problem = "is a directory" if path.is_dir() else str(error.strerror)
    if problem:
        raise WarehouseError(
            f"can't write the file {path}, by which loads are kept apart: {problem}. Remove it, or "
            "let this user write it, then load again."
        )


_LOCK_FILE = ".lock"


@contextmanager
def private_work_dir(parent: Path) -> Iterator[Path]:
    """A new directory below `parent` for this process alone, removed afterwards.

    A directory that a killed process left is removed by the next load: its lock died with it.
    Raises OSError if none can be made, such as on a full disk; WarehouseError where something else
    has the name of the lock file.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # nobody else makes one meanwhile: one without its lock is abandoned for certain
    with refusing_unusable(parent / _LOCK_FILE), FileLock(parent / _LOCK_FILE, is_singleton=False):
        _remove_abandoned(parent)
        path = Path(tempfile.mkdtemp(prefix="load-", dir=parent))
        lock = FileLock(path / _LOCK_FILE, is_singleton=False)
        lock.acquire()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        lock.release()


def _remove_abandoned(parent: Path) -> None:
    for path in parent.glob("load-*"):
        # OSError: its load has ended just now, and removes it
        with suppress(Timeout, OSError), FileLock(path / _LOCK_FILE, timeout=0, is_singleton=False):
            shutil.rmtree(path, ignore_errors=True)
