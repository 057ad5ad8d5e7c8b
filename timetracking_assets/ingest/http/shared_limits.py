"""Rate limits and pauses that processes on several machines share: which server holds them.

What all servers have in common belongs here; each has a module of its own (`redis_limits.py`,
`postgres_limits.py`). When a request waits is decided in `pace.py`.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from typing import ClassVar, TypeVar
from urllib.parse import urlsplit

from pyrate_limiter import AbstractBucket, Limiter, Rate, SingleBucketFactory

from timetracking_assets.errors import ApiError, SettingsError

VARIABLE = "TIMETRACKING_LIMITS"
"""Environment variable with the URL of the server; without it, limits are per process."""

LONGEST_PAUSE = 900.0
"""Seconds after which one request is tried, whatever a pause says: a quota may have been raised."""

_REDIS, _POSTGRES = ("redis", "rediss"), ("postgresql", "postgres")
_SECONDS_BETWEEN_LEAKS = 10.0

T = TypeVar("T")


def shared_limits() -> SharedLimits | None:
    """The limits that VARIABLE names, one object for each URL; None if it is not set.

    Raises SettingsError for a URL of another server, or without the extra `cluster`.
    """
    url = os.environ.get(VARIABLE, "").strip()
    return _limits(url) if url else None


@cache
def _limits(url: str) -> SharedLimits:
    scheme = urlsplit(url).scheme
    if scheme not in (*_REDIS, *_POSTGRES):
        raise SettingsError(
            f"{VARIABLE} must be a URL like redis://:password@host:6379/0 or "
            "postgresql://user:password@host:5432/database"
        )
    try:
        if scheme in _REDIS:
            from timetracking_assets.ingest.http.redis_limits import RedisLimits

            return RedisLimits(url)
        from timetracking_assets.ingest.http.postgres_limits import PostgresLimits

        return PostgresLimits(url)
    except ImportError:
        # its message is of no use to whoever has to install something
        pass
    raise SettingsError(f"{VARIABLE} needs a client: pip install timetracking-assets[cluster]")


class SharedLimits(ABC):
    """Limits in the server at `url`.

    Methods raise ApiError (transient) if it can't be reached: an API must not be requested faster
    than it allows because a server of ours is down.
    """

    server: ClassVar[str]
    """What messages call the server."""
    errors: ClassVar[tuple[type[Exception], ...]]
    """What its client raises."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc.rpartition("@")[2]
        self._limiters: dict[tuple[str, int, int], tuple[Limiter, AbstractBucket]] = {}
        self._next_leak = 0.0

    def acquire(self, key: str, requests: int, milliseconds: int) -> None:
        """Wait until one more request keeps to the limit; `key` names who shares it."""
        self._or_fail(lambda: self._acquire((key, requests, milliseconds)))

    def pause(self, key: str, seconds: float) -> None:
        """Let all who use `key` wait for `seconds` from now."""
        self._or_fail(lambda: self._write_pause(key, seconds, min(seconds, LONGEST_PAUSE)))

    def pause_left(self, key: str) -> float:
        """The seconds that a pause of `key` still lasts; 0 without one."""
        return max(0.0, self._or_fail(lambda: self._read_pause(key)))

    @abstractmethod
    def _bucket(self, rate: Rate, key: str) -> AbstractBucket:
        """The bucket of a limit."""

    @abstractmethod
    def _write_pause(self, key: str, seconds: float, known: float) -> None:
        """Store a pause of `seconds`, which is forgotten after `known` seconds."""

    @abstractmethod
    def _read_pause(self, key: str) -> float:
        """The seconds left of a pause."""

    def _acquire(self, limit: tuple[str, int, int]) -> None:
        if limit not in self._limiters:
            key, requests, milliseconds = limit
            bucket = self._bucket(Rate(requests, milliseconds), f"{key}/{requests}/{milliseconds}")
            # its thread that forgets old requests would end with the first error of the server
            factory = SingleBucketFactory(bucket, schedule_leak=False)
            self._limiters[limit] = Limiter(factory), bucket
        limiter, bucket = self._limiters[limit]
        limiter.try_acquire()
        if time.monotonic() > self._next_leak:
            self._next_leak = time.monotonic() + _SECONDS_BETWEEN_LEAKS
            bucket.leak(bucket.now())  # type: ignore[no-untyped-call]

    def _or_fail(self, action: Callable[[], T]) -> T:
        problem = ""
        try:
            return action()
        except self.errors as error:
            problem = type(error).__name__
        raise ApiError(
            f"the shared rate limits in {self.server} at {self._address} can't be used "
            f"({problem}): see that it runs and that {VARIABLE} is right",
            transient=True,
        )
