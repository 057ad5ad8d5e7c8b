"""How fast and how often an API may be asked: the pace of its file, and the quota that it states.

The pace is one limiter for all of an API's resources and threads in this process. Several processes
that ask one API have a limiter each: the limit in YAML is then to be divided.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from threading import Lock
from urllib.parse import urlsplit

import requests
from pyrate_limiter import Limiter, Rate
from requests import codes

from timetracking_assets.spec.model import QuotaSpec, RateLimitSpec

QUOTA_STATUSES = (codes.payment_required, codes.too_many_requests)
"""Answers that say that a quota is used up."""

_FIRST_UNIX_SECONDS = 1e9
_FIRST_UNIX_MILLISECONDS = 1e11
_LAST_UNIX_MILLISECONDS = 253_402_300_799_999


class QuotaUsedUpError(requests.RequestException):
    """A quota that doesn't come back soon: asking again at once would only be refused again.

    Not an HTTPError, which dlt's session would repeat for its status.
    """


def await_reset(response: requests.Response, quota: QuotaSpec) -> float:
    """Let dlt's session wait until the quota is back; the seconds until then, 0 if unknown.

    Raises QuotaUsedUpError if that is too far away, or if a 402 doesn't say.
    """
    headers = response.headers
    now = _now_of(headers)
    reset = reset_time(headers, quota, now)
    if reset is None and response.status_code == codes.payment_required:
        names = " or ".join(name for name in (quota.reset_header, "Retry-After") if name)
        raise QuotaUsedUpError(
            "the API wants a payment, or its quota is used up; when that comes back it does not "
            f"say in a header {names} (another one can be named in `quota.reset_header`)",
            response=response,
        )
    if reset is None or reset <= now:
        # nothing to go by: dlt's backoff
        headers.pop("Retry-After", None)
        return 0.0
    seconds = math.ceil((reset - now).total_seconds())
    if seconds > quota.max_wait:
        raise QuotaUsedUpError(
            f"the API's quota is used up until {_utc(reset)}, in {seconds} s, and `quota.max_wait` "
            f"is {quota.max_wait:g} s: run again then, or raise it",
            response=response,
        )
    headers["Retry-After"] = str(seconds)
    return seconds


def come_back(headers: Mapping[str, str], quota: QuotaSpec) -> str:
    """When to ask again, as a part of a message; empty if the API doesn't say."""
    now = _now_of(headers)
    reset = reset_time(headers, quota, now)
    return f" (it is there again at {_utc(reset)})" if reset and reset > now else ""


def remaining(headers: Mapping[str, str], quota: QuotaSpec) -> float | None:
    """How many requests are left by `quota.remaining_header`, if it is there and a number."""
    text = headers.get(quota.remaining_header or "", "")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def reset_time(headers: Mapping[str, str], quota: QuotaSpec, now: datetime) -> datetime | None:
    """The instant (UTC) at which the quota comes back; None if no header says one."""
    for name in (quota.reset_header, "Retry-After"):
        instant = _instant(headers.get(name, ""), now) if name else None
        if instant is not None:
            return instant
    return None


def _now_of(headers: Mapping[str, str]) -> datetime:
    # the API's own clock where it shows it: a reset is an instant of that clock
    return _date(headers.get("Date", "")) or datetime.now(UTC)


def _instant(text: str, now: datetime) -> datetime | None:
    try:
        number = float(text)
    except ValueError:
        return _date(text.strip())
    if not 0 <= number <= _LAST_UNIX_MILLISECONDS:
        return None
    if number < _FIRST_UNIX_SECONDS:
        return now + timedelta(seconds=number)
    if number >= _FIRST_UNIX_MILLISECONDS:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


def _date(text: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            instant = parse(text)
        except (ValueError, TypeError):
            continue
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    return None


def _utc(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


POLITE = RateLimitSpec()
"""What is kept to where the specification says nothing: a series of requests that take 100 ms each
isn't slowed by it, parallel ones are."""

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
        """Return when a request may be made; the seconds that were waited for it."""
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
