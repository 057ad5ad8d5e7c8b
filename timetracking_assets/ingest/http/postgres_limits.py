"""Shared limits in PostgreSQL. Windows are counted by the server's clock."""

from __future__ import annotations

import atexit
import re
from collections import defaultdict
from threading import Lock
from zlib import crc32

from psycopg import Error
from psycopg_pool import ConnectionPool
from pyrate_limiter import AbstractBucket, PostgresBucket, Rate

from timetracking_assets.ingest.http.shared_limits import SharedLimits

_CREATE = """
CREATE TABLE IF NOT EXISTS timetracking_pauses (
    name text PRIMARY KEY, until timestamptz NOT NULL, known_until timestamptz NOT NULL
)
"""
_WRITE = """
INSERT INTO timetracking_pauses VALUES (
    %s, clock_timestamp() + make_interval(secs => %s), clock_timestamp() + make_interval(secs => %s)
)
ON CONFLICT (name) DO UPDATE SET until = excluded.until, known_until = excluded.known_until
"""
_READ = """
SELECT extract(epoch FROM until - clock_timestamp())::float FROM timetracking_pauses
WHERE name = %s AND known_until > clock_timestamp()
"""
# two that create a table at a time would disagree
_LOCK = f"SELECT pg_advisory_xact_lock({crc32(b'timetracking_pauses')})"
_ENTER, _LEAVE = "SELECT pg_advisory_lock(%s)", "SELECT pg_advisory_unlock(%s)"
_SECONDS_TO_CONNECT = 15
_LONGEST_NAME = 36


class PostgresLimits(SharedLimits):
    """A table for each limit, and one for all pauses.

    The connection must be PostgreSQL's own: a pool of transactions takes no options.
    """

    server = "PostgreSQL"
    errors = (Error,)

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._pool = ConnectionPool(
            url,
            min_size=0,
            max_size=16,
            timeout=_SECONDS_TO_CONNECT,
            # one that a restart of the server has cut is replaced
            check=ConnectionPool.check_connection,
            # the bucket keeps times without a zone: no clock may be put back
            kwargs={"options": "-c timezone=UTC"},
            num_workers=1,
            open=True,
        )
        atexit.register(self._pool.close)
        self._has_table = False
        # one thread of a process stands in the queue, the others behind it
        self._waiting: dict[tuple[str, int, int], Lock] = defaultdict(Lock)

    def _acquire(self, limit: tuple[str, int, int]) -> None:
        # in the order in which processes come: else whoever has just been let go is first again
        queue = crc32(f"queue of {limit}".encode())
        with self._waiting[limit], self._pool.connection() as connection:
            connection.execute(_ENTER, (queue,))
            # the lock is the session's; nothing is left open while it is waited
            connection.commit()
            try:
                super()._acquire(limit)
            finally:
                connection.execute(_LEAVE, (queue,))

    def _bucket(self, rate: Rate, key: str) -> AbstractBucket:
        # an identifier has 63 bytes, of which the bucket's prefix takes some
        readable = re.sub(r"\W+", "_", key)[:_LONGEST_NAME]
        return PostgresBucket(self._pool, f"{readable}_{crc32(key.encode()):08x}", [rate])

    def _write_pause(self, key: str, seconds: float, known: float) -> None:
        self._create_table()
        with self._pool.connection() as connection:
            connection.execute(_WRITE, (key, seconds, known))

    def _read_pause(self, key: str) -> float:
        self._create_table()
        with self._pool.connection() as connection:
            row = connection.execute(_READ, (key,)).fetchone()
        return float(row[0]) if row else 0.0

    def _create_table(self) -> None:
        if not self._has_table:
            with self._pool.connection() as connection:
                connection.execute(_LOCK)
                connection.execute(_CREATE)
            self._has_table = True
