"""Private working directories: one for each load, gone with it, also after a killed process."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK = ".lock"


@contextmanager
def private_work_dir(parent: Path) -> Iterator[Path]:
    """A new directory below `parent` for this process alone, removed afterwards.

    A directory that a killed process left is removed by the next load: its lock died with it.
    Raises OSError if none can be made, such as on a full disk.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # nobody else makes one meanwhile: one without its lock is abandoned for certain
    with FileLock(parent / _LOCK, is_singleton=False):
        _remove_abandoned(parent)
        path = Path(tempfile.mkdtemp(prefix="load-", dir=parent))
        lock = FileLock(path / _LOCK, is_singleton=False)
        lock.acquire()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        lock.release()


def _remove_abandoned(parent: Path) -> None:
    for path in parent.glob("load-*"):
        # OSError: its load has ended just now, and removes it
        with suppress(Timeout, OSError), FileLock(path / _LOCK, timeout=0, is_singleton=False):
            shutil.rmtree(path, ignore_errors=True)
