"""What an API says of its quota: how much is left, when it comes back, and what follows from that.

A reset that is near is waited for by dlt's session, which waits as a Retry-After header says; one
that is far is an error at once. The limit that we keep to ourselves is in `rate_limits.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from requests import codes

from timetracking_assets.spec.model import QuotaSpec

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
