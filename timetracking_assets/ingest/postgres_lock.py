"""PostgreSQL's advisory locks: one load into a dataset at a time, whatever machine it runs on.

A lock belongs to a session and ends with it, so that a killed process holds nothing. It needs a
session of its own, which a pooler that shares sessions between clients does not give.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from timetracking_assets.errors import WarehouseError
from timetracking_assets.ingest.warehouse import literal
from timetracking_assets.ingest.warehouse_locks import wait_for

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
        # a session that is gone has let go of it
        with suppress(WarehouseError):
            rows(f"SELECT pg_advisory_unlock({key})")


def _holder(rows: Callable[[str], list[tuple[Any, ...]]], dataset: str) -> str:
    found = rows(
        "SELECT a.application_name, coalesce(host(a.client_addr), 'local') FROM pg_locks l "
        "JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted "
        f"AND l.objsubid = 2 AND l.objid = {_number(dataset) % 2**32} "
        f"AND l.classid = {_number('timetracking_assets') % 2**32} "
        "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return f"{found[0][0]} ({found[0][1]})" if found else "another session"


def _number(name: str) -> int:
    """`name` as one of PostgreSQL's integers: 32 bits, signed."""
    return zlib.crc32(name.encode()) - 2**31
