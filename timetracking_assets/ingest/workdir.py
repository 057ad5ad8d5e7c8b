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
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_abandoned(parent)
    while True:
        path = Path(tempfile.mkdtemp(prefix="load-", dir=parent))
        lock = FileLock(path / _LOCK, is_singleton=False)
        lock.acquire()
        if (path / _LOCK).exists():
            break
        # another load took it for abandoned, in the instant before it was locked
        lock.release()
    try:
        yield path
    finally:
        lock.release()
        shutil.rmtree(path, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    for path in parent.glob("load-*"):
        # a directory without a lock file is one that is just being made
        if not (path / _LOCK).exists():
            continue
        with suppress(Timeout, OSError), FileLock(path / _LOCK, timeout=0, is_singleton=False):
            shutil.rmtree(path, ignore_errors=True)
