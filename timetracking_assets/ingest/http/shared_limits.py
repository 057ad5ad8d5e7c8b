"""Rate limits and pauses that processes on several machines share through Redis.

Only what is stored there, and how its failures are reported, belongs here; when a request waits is
decided in `pace.py`. Windows are counted by the clocks of the machines, which must be in step.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pyrate_limiter import Limiter, Rate, RedisBucket

from timetracking_assets.errors import ApiError, SettingsError

if TYPE_CHECKING:
    from redis import Redis

VARIABLE = "TIMETRACKING_LIMITS"
"""Environment variable with the URL of the Redis server; without it, limits are per process."""

_SCHEMES = ("redis", "rediss")
_RETRIES = 6
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 2.0

T = TypeVar("T")


def shared_limits() -> SharedLimits | None:
    """The limits that VARIABLE names, one object for each URL; None if it is not set.

    Raises SettingsError for a URL that is not one of Redis, or without the extra `cluster`.
    """
    url = os.environ.get(VARIABLE, "").strip()
    return _limits(url) if url else None


@cache
def _limits(url: str) -> SharedLimits:
    if urlsplit(url).scheme not in _SCHEMES:
        raise SettingsError(f"{VARIABLE} must be a URL like redis://:password@host:6379/0")
    try:
        import redis
    except ImportError:
        redis = None
    if redis is None:
        raise SettingsError(f"{VARIABLE} needs a client: pip install timetracking-assets[cluster]")
    return SharedLimits(url)


class SharedLimits:
    """Limits in the Redis server at `url`.

    Methods raise ApiError (transient) if it can't be reached: an API must not be requested faster
    than it allows because a server of ours is down.
    """

    def __init__(self, url: str) -> None:
        from redis import Redis
        from redis.backoff import ExponentialBackoff
        from redis.retry import Retry

        backoff = ExponentialBackoff(cap=_LONGEST_DELAY, base=_FIRST_DELAY)
        self._address = urlsplit(url).netloc.rpartition("@")[2]
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=10, socket_connect_timeout=5, retry=Retry(backoff, _RETRIES)
        )
        self._limiters: dict[tuple[str, int, int], Limiter] = {}

    def acquire(self, key: str, requests: int, milliseconds: int) -> None:
        """Wait until one more request keeps to the limit; `key` names who shares it."""
        from redis.exceptions import NoScriptError

        limit = (key, requests, milliseconds)

        def wait() -> None:
            try:
                self._limiter(*limit).try_acquire()
            except NoScriptError:
                # a server that was restarted has forgotten what the bucket registered with it
                self._limiters.pop(limit, None)
                self._limiter(*limit).try_acquire()

        self._or_fail(wait)

    def pause(self, key: str, seconds: float) -> None:
        """Let all who use `key` wait for `seconds` from now."""
        milliseconds = max(1, round(seconds * 1000))
        self._or_fail(lambda: self._redis.set(_name("pause", key), 1, px=milliseconds))

    def wait_out_pause(self, key: str) -> None:
        """Return when nobody's pause of `key` is in force."""
        while (left := self._or_fail(lambda: self._redis.pttl(_name("pause", key)))) > 0:
            time.sleep(left / 1000)

    def _limiter(self, key: str, requests: int, milliseconds: int) -> Limiter:
        limit = (key, requests, milliseconds)
        if limit not in self._limiters:
            name = _name("limit", f"{key}/{requests}/{milliseconds}")
            bucket: Any = RedisBucket.init([Rate(requests, milliseconds)], self._redis, name)
            self._limiters[limit] = Limiter(bucket)
        return self._limiters[limit]

    def _or_fail(self, action: Callable[[], T]) -> T:
        from redis.exceptions import RedisError

        problem = ""
        try:
            return action()
        except RedisError as error:
            problem = type(error).__name__
        raise ApiError(
            f"the shared rate limits in Redis at {self._address} can't be used ({problem}): see "
            f"that it runs and that {VARIABLE} is right",
            transient=True,
        )


def _name(kind: str, key: str) -> str:
    return f"timetracking/{kind}/{key}"
