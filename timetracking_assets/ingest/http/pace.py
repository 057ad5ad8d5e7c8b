"""How fast an API is requested: the rate limit of its file, kept by all requests.

There is one limiter for all resources and threads of a process; several processes share one if
`shared_limits.py` has a server for it, and with it the pauses that an API imposes. What an API says
of its quota is read in `quota.py`.
"""

from __future__ import annotations

import math
import time
from ipaddress import ip_address
from threading import Lock
from urllib.parse import urlsplit

from pyrate_limiter import Limiter, Rate

from timetracking_assets.ingest.http.shared_limits import shared_limits
from timetracking_assets.spec.model import RateLimitSpec

POLITE = RateLimitSpec()
"""The limit of a file that states none: requests one after another that take 100 ms each are not
slowed down by it, parallel ones are."""

_SECONDS_TO_LOOK_AGAIN = 10.0

_limiters: dict[tuple[str, str, RateLimitSpec], Limiter] = {}
_lock = Lock()


class LongPauseError(Exception):
    """Another process was refused, and the API wants no request for longer than may be waited."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Pace:
    """The rate limit of the API `name` at `base_url`; equal ones share their limiter.

    Without a `limit` it is `POLITE`, and none for an API on this machine: a sandbox has no other
    users who could suffer.
    """

    def __init__(self, name: str, base_url: str, limit: RateLimitSpec | None) -> None:
        host = urlsplit(base_url).hostname or ""
        if limit is None and not _is_local(host):
            limit = POLITE
        self.limit = limit
        self._shared = shared_limits()
        self._key = f"{name}/{host}"
        self._limiter = _limiter(name, host, limit) if limit and not self._shared else None

    def wait(self, longest_pause: float = math.inf, deadline: float = math.inf) -> float:
        """Wait until a request may be made; return the seconds that this took.

        Raises LongPauseError if a pause lasts more than `longest_pause` seconds, or past `deadline`
        (of the monotonic clock).
        """
        started = time.monotonic()
        if self._shared:
            while (left := self._shared.pause_left(self._key)) > 0:
                if left > longest_pause or time.monotonic() + left > deadline:
                    raise LongPauseError(left)
                time.sleep(min(left, _SECONDS_TO_LOOK_AGAIN))
            if self.limit:
                self._shared.acquire(self._key, self.limit.requests, _milliseconds(self.limit))
        elif self._limiter:
            self._limiter.try_acquire()
        else:
            return 0.0
        return time.monotonic() - started

    def pause(self, seconds: float) -> None:
        """Let the other processes wait, too: the API has refused a request for so long."""
        if self._shared and seconds > 0:
            self._shared.pause(self._key, seconds)


def _limiter(name: str, host: str, limit: RateLimitSpec) -> Limiter:
    with _lock:
        key = (name, host, limit)
        if key not in _limiters:
            _limiters[key] = Limiter(Rate(limit.requests, _milliseconds(limit)))
        return _limiters[key]


def _milliseconds(limit: RateLimitSpec) -> int:
    return max(1, round(limit.per_seconds * 1000))


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
