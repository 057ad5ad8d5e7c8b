"""How fast an API is requested: the rate limit of its file, kept by all requests of this process.

There is one limiter for all resources and threads. Several processes have one each: the limit in
the file must then be divided among them. The quota that an API states itself is in `quota.py`.
"""

from __future__ import annotations

import time
from ipaddress import ip_address
from threading import Lock
from urllib.parse import urlsplit

from pyrate_limiter import Limiter, Rate

from timetracking_assets.spec.model import RateLimitSpec

POLITE = RateLimitSpec()
"""The limit of a file that states none: requests one after another that take 100 ms each are not
slowed down by it, parallel ones are."""

_limiters: dict[tuple[str, str, RateLimitSpec], Limiter] = {}
_lock = Lock()


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
        self._limiter = _limiter(name, host, limit) if limit else None

    def wait(self) -> float:
        """Wait until a request may be made; return the seconds that this took."""
        if self._limiter is None:
            return 0.0
        started = time.monotonic()
        self._limiter.try_acquire()
        return time.monotonic() - started


def _limiter(name: str, host: str, limit: RateLimitSpec) -> Limiter:
    with _lock:
        key = (name, host, limit)
        if key not in _limiters:
            milliseconds = max(1, round(limit.per_seconds * 1000))
            _limiters[key] = Limiter(Rate(limit.requests, milliseconds))
        return _limiters[key]


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
