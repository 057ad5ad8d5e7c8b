"""The quota that an API states, in every form: is it used up, and when does it reset?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from timetracking_assets.ingest.http.quota import (
    QuotaUsedUpError,
    is_used_up,
    remaining,
    reset_hint,
    reset_time,
    retry_after,
    seconds_until_reset,
)
from timetracking_assets.spec.model import QuotaSpec

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"


def response(status: int = 429, body: bytes = b"", **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer._content = status, body
    answer.headers.update({name.replace("_", "-"): text for name, text in headers.items()})
    answer.headers.setdefault("Date", DATE)
    return answer


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("0.5", 0.5),
        (str(int(NOW.timestamp()) + 90), 90),
        (str((int(NOW.timestamp()) + 90) * 1000), 90),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90),
        ("2026-03-01T12:01:30Z", 90),
        ("2026-03-01T13:01:30+01:00", 90),
        ("2026-03-01 12:01:30", 90),
        ("2026-03-01T11:59:00Z", -60),
    ],
)
@pytest.mark.parametrize("name", ["Retry-After", "X-Reset"])
def test_every_form_of_a_reset(name: str, text: str, seconds: float) -> None:
    found = reset_time({name: text}, QuotaSpec(reset_header="X-Reset"), NOW)
    assert found == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5", "nan", "inf", "1e300", "12:30"])
def test_anything_else_says_nothing(text: str) -> None:
    assert reset_time({"Retry-After": text}, QuotaSpec(), NOW) is None


def test_the_named_header_goes_before_retry_after() -> None:
    headers = {"X-Reset": "10", "Retry-After": "20"}
    named = QuotaSpec(reset_header="X-Reset")
    assert reset_time(headers, named, NOW) == NOW + timedelta(seconds=10)
    assert reset_time(headers, QuotaSpec(), NOW) == NOW + timedelta(seconds=20)
    assert reset_time({**headers, "X-Reset": "?"}, named, NOW) == NOW + timedelta(seconds=20)


@pytest.mark.parametrize("status", [402, 403, 429])
def test_a_near_reset_is_waited_for(status: int) -> None:
    answer = response(status, X_Reset="2026-03-01T12:01:59.5Z")
    assert seconds_until_reset(answer, QuotaSpec(reset_header="X-Reset")) == 120


@pytest.mark.parametrize("status", [402, 403, 429])
def test_a_far_reset_is_refused_with_when_to_run_again(status: int) -> None:
    answer = response(status, Retry_After="3600")
    with pytest.raises(
        QuotaUsedUpError,
        match=r"until 2026-03-01T13:00:00Z, in 3600 s, and `quota.max_wait` is 120 s: run again",
    ) as refused:
        seconds_until_reset(answer, QuotaSpec())
    assert refused.value.response is answer
    assert seconds_until_reset(answer, QuotaSpec(max_wait=3600)) == 3600


def test_a_payment_without_a_reset_is_refused_a_429_is_left_to_the_backoff() -> None:
    with pytest.raises(QuotaUsedUpError, match=r"\(X-Reset or Retry-After; another one"):
        seconds_until_reset(response(402), QuotaSpec(reset_header="X-Reset"))
    assert seconds_until_reset(response(429), QuotaSpec()) is None


@pytest.mark.parametrize("status", [402, 429])
def test_a_reset_that_has_passed_is_left_to_the_backoff(status: int) -> None:
    answer = response(status, Retry_After="Sun, 01 Mar 2026 11:00:00 GMT")
    assert seconds_until_reset(answer, QuotaSpec()) is None


def test_the_clock_is_the_apis_where_it_shows_one() -> None:
    """One of ours that is years off makes no difference."""
    reset = int(datetime(2035, 1, 1, 0, 1, tzinfo=UTC).timestamp())
    answer = response(429, Date="Mon, 01 Jan 2035 00:00:00 GMT", Retry_After=str(reset))
    assert seconds_until_reset(answer, QuotaSpec()) == 60
    assert retry_after(answer.headers) == 60


@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        ({"Retry-After": "60", "Date": DATE}, " (it resets at 2026-03-01T12:01:00Z)"),
        ({"Retry-After": "0", "Date": DATE}, ""),
        ({}, ""),
    ],
)
def test_the_hint_when_the_quota_resets(headers: dict[str, str], hint: str) -> None:
    assert reset_hint(headers, QuotaSpec()) == hint


@pytest.mark.parametrize(
    ("answer", "used_up"),
    [
        (response(429), True),
        (response(402), True),
        (response(420), True),
        (response(509), True),
        (response(403, Retry_After="1"), True),
        (response(403, X_RateLimit_Remaining="0"), True),
        (response(503, RateLimit_Remaining="0"), True),
        (response(403, b'{"message": "API rate limit exceeded"}'), True),
        (response(400, b"Too many requests, slow down"), True),
        (response(403, b'{"message": "you may not read this"}'), False),
        (response(403, X_RateLimit_Remaining="57"), False),
        (response(404), False),
        (response(503, Retry_After="5"), False),
        (response(500, b"rate limit service is down"), False),
        (response(200, b"rate limit exceeded", X_RateLimit_Remaining="0"), False),
    ],
)
def test_a_rate_limit_is_one_whatever_status_states_it(
    answer: requests.Response, used_up: bool
) -> None:
    assert is_used_up(answer, QuotaSpec()) is used_up


@pytest.mark.parametrize("name", ["RateLimit", "X-RateLimit", "X-Rate-Limit"])
def test_the_usual_headers_need_no_configuration(name: str) -> None:
    headers = {f"{name}-Remaining": "0", f"{name}-Reset": "30"}
    answer = response(403, **headers)
    assert is_used_up(answer, QuotaSpec())
    assert seconds_until_reset(answer, QuotaSpec()) == 30


@pytest.mark.parametrize(
    ("given", "left"), [("57", 57), ("0", 0), ("1.5", 1.5), ("many", None), ("nan", None)]
)
def test_what_is_left(given: str, left: Any) -> None:
    assert remaining({"X-Left": given}, QuotaSpec(remaining_header="X-Left")) == left
    assert remaining({"X-Left": given}, QuotaSpec()) is None
