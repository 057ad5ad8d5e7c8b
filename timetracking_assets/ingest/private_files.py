"""Files that only their user may read: what is loaded is nobody else's business.

DuckDB and dlt make files as the umask says, and have no word for another mode.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_inside = 0
_before = 0


@contextmanager
def private_files() -> Iterator[None]:
    """Files made inside are for the user alone (0600, directories 0700); existing ones stay.

    The umask is the whole process's, so that what other threads make meanwhile is private, too.
    """
    global _inside, _before
    with _lock:
        if not _inside:
            _before = os.umask(0o077)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                os.umask(_before)
