"""Shared limits in Redis. Windows are counted by the machines' clocks, which must be in step."""

from __future__ import annotations

from typing import Any

from pyrate_limiter import AbstractBucket, Rate, RedisBucket
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from timetracking_assets.ingest.http.shared_limits import SharedLimits

_RETRIES = 6
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 2.0


class RedisLimits(SharedLimits):
    """A sorted set for each limit, and a key that expires for each pause."""

    server = "Redis"
    errors = (RedisError,)

    def __init__(self, url: str) -> None:
        super().__init__(url)
        backoff = ExponentialBackoff(cap=_LONGEST_DELAY, base=_FIRST_DELAY)
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=10, socket_connect_timeout=5, retry=Retry(backoff, _RETRIES)
        )

    def _acquire(self, limit: tuple[str, int, int]) -> None:
        try:
            super()._acquire(limit)
        except NoScriptError:
            # a server that was restarted has forgotten what the bucket registered with it
            self._limiters.pop(limit, None)
            super()._acquire(limit)

    def _bucket(self, rate: Rate, key: str) -> AbstractBucket:
        bucket: Any = RedisBucket.init([rate], self._redis, _name("limit", key))
        return bucket  # type: ignore[no-any-return]

    def _write_pause(self, key: str, seconds: float, known: float) -> None:
        milliseconds = max(1, round(known * 1000))
        self._redis.set(_name("pause", key), seconds - known, px=milliseconds)

    def _read_pause(self, key: str) -> float:
        name = _name("pause", key)
        beyond, milliseconds = self._redis.pipeline().get(name).pttl(name).execute()
        return 0.0 if beyond is None or milliseconds < 0 else milliseconds / 1000 + float(beyond)


def _name(kind: str, key: str) -> str:
    return f"timetracking/{kind}/{key}"
