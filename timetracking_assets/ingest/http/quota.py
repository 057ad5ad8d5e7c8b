"""The quota that an API states: whether a response means that it is used up, and when it resets.

Only the reading of responses belongs here. Waiting is in `session.py`, the file's own rate limit
in `pace.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from requests import codes

from timetracking_assets.spec.model import QuotaSpec

_QUOTA_STATUSES = (codes.payment_required, 420, codes.too_many_requests, 509)
"""Statuses that mean it by themselves; 420 and 509 are common, though no standard has them."""

_REMAINING = ("RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining")
_RESET = ("RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset")
_REASON = re.compile(r"rate.?limit|too.?many.?requests|throttl|quota.{0,20}exceed", re.IGNORECASE)
_REASON_BYTES = 2000
_FIRST_UNIX_SECONDS = 1e9
_FIRST_UNIX_MILLISECONDS = 1e11
_LAST_UNIX_MILLISECONDS = 253_402_300_799_999


class QuotaUsedUpError(requests.RequestException):
    """A quota that does not reset soon: the next request would only be refused, too."""


def is_used_up(response: requests.Response, quota: QuotaSpec) -> bool:
    """Whether `response` refuses a request because of a quota, whatever its status is."""
    status, headers = response.status_code, response.headers
    if status < codes.bad_request:
        return False
    if status in _QUOTA_STATUSES or remaining(headers, quota) == 0:
        return True
    # with a 5xx, Retry-After is about an API that is down
    if status >= codes.internal_server_error:
        return False
    begin = response.content[:_REASON_BYTES].decode(errors="replace")
    return "Retry-After" in headers or _REASON.search(begin) is not None


def stated_wait(response: requests.Response, quota: QuotaSpec) -> float | None:
    """Seconds until the quota resets, whole ones; None if the response does not state it."""
    now = _now_of(response.headers)
    reset = reset_time(response.headers, quota, now)
    if reset is None or reset <= now:
        return None
    return math.ceil((reset - now).total_seconds())


def seconds_until_reset(response: requests.Response, quota: QuotaSpec) -> float | None:
    """Seconds to wait for the quota; None if the response does not state it.

    Raises QuotaUsedUpError if that is longer than `quota.max_wait`, or for a 402 without it.
    """
    now = _now_of(response.headers)
    reset = reset_time(response.headers, quota, now)
    if reset is None and response.status_code == codes.payment_required:
        names = " or ".join(name for name in (quota.reset_header, "Retry-After") if name)
        raise QuotaUsedUpError(
            "the API requires a payment, or its quota is used up; no header says when it resets "
            f"({names}; another one can be named in `quota.reset_header`)",
            response=response,
        )
    seconds = stated_wait(response, quota)
    if seconds is not None and seconds > quota.max_wait:
        assert reset is not None
        raise QuotaUsedUpError(_used_up(reset, seconds, quota), response=response)
    return seconds


def used_up_for(seconds: float, quota: QuotaSpec) -> str:
    """The message of a quota that another process knows to be used up."""
    return _used_up(datetime.now(UTC) + timedelta(seconds=seconds), math.ceil(seconds), quota)


def _used_up(reset: datetime, seconds: float, quota: QuotaSpec) -> str:
    return (
        f"the API's quota is used up until {_utc(reset)}, in {seconds:g} s, and `quota.max_wait` "
        f"is {quota.max_wait:g} s: run again then, or raise it"
    )


def reset_hint(headers: Mapping[str, str], quota: QuotaSpec) -> str:
    """When the quota resets, as a part of a message; empty if no header says it."""
    now = _now_of(headers)
    reset = reset_time(headers, quota, now)
    return f" (it resets at {_utc(reset)})" if reset and reset > now else ""


def remaining(headers: Mapping[str, str], quota: QuotaSpec) -> float | None:
    """The number of requests left, by `quota.remaining_header` or a usual header; None if no header
    says it."""
    names = [quota.remaining_header] if quota.remaining_header else _REMAINING
    for name in names:
        try:
            value = float(headers.get(name, ""))
        except ValueError:
            continue
        return value if math.isfinite(value) else None
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of the header Retry-After; None if it is missing, or no time to come."""
    now = _now_of(headers)
    instant = _instant(headers.get("Retry-After", ""), now)
    return (instant - now).total_seconds() if instant and instant > now else None


def reset_time(headers: Mapping[str, str], quota: QuotaSpec, now: datetime) -> datetime | None:
    """The instant (UTC) at which the quota resets; None if no header says one."""
    for name in (quota.reset_header, "Retry-After", *_RESET):
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
