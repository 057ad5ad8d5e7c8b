"""The quota that an API states, in every form, and the pace that is kept for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
import requests

from timetracking_assets.ingest.http.limits import (
    POLITE,
    Pace,
    QuotaUsedUpError,
    await_reset,
    come_back,
    remaining,
    reset_time,
)
from timetracking_assets.ingest.http.session import open_session
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.model import QuotaSpec, RateLimitSpec

if TYPE_CHECKING:
    from requests import Session

    from tests.support.stub_api import Stub


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"


def response(status: int = 429, **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
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


@pytest.mark.parametrize("status", [402, 429])
def test_a_near_reset_is_said_as_dlt_understands_it(status: int) -> None:
    answer = response(status, X_Reset="2026-03-01T12:01:59.5Z")
    assert await_reset(answer, QuotaSpec(reset_header="X-Reset")) == 120
    assert answer.headers["Retry-After"] == "120"


@pytest.mark.parametrize("status", [402, 429])
def test_a_far_reset_is_refused_with_when_to_come_back(status: int) -> None:
    answer = response(status, Retry_After="3600")
    with pytest.raises(
        QuotaUsedUpError,
        match=r"until 2026-03-01T13:00:00Z, in 3600 s, and `quota.max_wait` is 120 s: run again",
    ) as refused:
        await_reset(answer, QuotaSpec())
    assert refused.value.response is answer
    assert await_reset(answer, QuotaSpec(max_wait=3600)) == 3600


def test_a_payment_without_a_reset_is_refused_a_429_is_left_to_the_backoff() -> None:
    with pytest.raises(QuotaUsedUpError, match="a header X-Reset or Retry-After"):
        await_reset(response(402), QuotaSpec(reset_header="X-Reset"))
    assert await_reset(response(429), QuotaSpec()) == 0


@pytest.mark.parametrize("status", [402, 429])
def test_a_reset_that_has_passed_is_left_to_the_backoff(status: int) -> None:
    answer = response(status, Retry_After="Sun, 01 Mar 2026 11:00:00 GMT")
    assert await_reset(answer, QuotaSpec()) == 0
    assert "Retry-After" not in answer.headers


def test_the_clock_is_the_apis_where_it_shows_one() -> None:
    """One of ours that is years off makes no difference."""
    reset = int(datetime(2035, 1, 1, 0, 1, tzinfo=UTC).timestamp())
    answer = response(429, Date="Mon, 01 Jan 2035 00:00:00 GMT", Retry_After=str(reset))
    assert await_reset(answer, QuotaSpec()) == 60


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Retry-After": "60", "Date": DATE}, " (it is there again at 2026-03-01T12:01:00Z)"),
        ({"Retry-After": "0", "Date": DATE}, ""),
        ({}, ""),
    ],
)
def test_when_to_come_back(headers: dict[str, str], said: str) -> None:
    assert come_back(headers, QuotaSpec()) == said


@pytest.mark.parametrize(
    ("given", "left"), [("57", 57), ("0", 0), ("1.5", 1.5), ("many", None), ("nan", None)]
)
def test_what_is_left(given: str, left: Any) -> None:
    assert remaining({"X-Left": given}, QuotaSpec(remaining_header="X-Left")) == left
    assert remaining({"X-Left": given}, QuotaSpec()) is None


Resolve = Callable[..., Api]
Open = Callable[..., tuple["Session", RequestStats]]
HOST = "https://hours.example"


@pytest.fixture
def opened(stub: Stub, api: Resolve) -> Iterator[Open]:
    """`opened(name of the API, rate_limit)`: a session and its counts."""
    sessions: list[Session] = []

    def open_(
        name: str, rate_limit: dict[str, float], label: str = "a"
    ) -> tuple[Session, RequestStats]:
        resolved = api(
            {"name": "entries", "endpoint": {"path": "x"}},
            name=name,
            rate_limit=rate_limit,
            retry={"backoff_factor": 0},
        )
        stats = RequestStats()
        session = open_session(resolved, label, stub.url, Redactor([]), stats, lambda *_: None)
        session.trust_env = False
        sessions.append(session)
        return session, stats

    yield open_
    for session in sessions:
        session.close()


def test_all_resources_and_threads_of_an_api_share_its_limit(opened: Open, stub: Stub) -> None:
    arrived: list[float] = []

    def answer(path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        arrived.append(monotonic())
        return 200, {}, b""

    stub.answers = [answer]
    limit = {"requests": 4, "per_seconds": 0.4}
    stats: list[RequestStats] = []

    def ask(label: str) -> None:
        session, counted = opened("shared", limit, label)
        stats.append(counted)
        for _ in range(4):
            session.get(stub.url)

    threads = [Thread(target=ask, args=(f"shared/{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # never more than the limit in any 0.4 s; what the way to the server takes is left aside
    assert len(arrived) == sum(one.requests for one in stats) == 12
    assert all(later - earlier > 0.35 for earlier, later in zip(arrived, arrived[4:], strict=False))
    assert sum(one.seconds_rate_limited for one in stats) > 0.7
    assert all(one.seconds >= one.seconds_rate_limited for one in stats)


def test_retries_keep_to_the_limit(opened: Open, stub: Stub) -> None:
    stub.answers = [(503, {}, b"")] * 3 + [(200, {}, b"")]
    session, stats = opened("retries", {"requests": 1, "per_seconds": 0.1})
    session.get(stub.url)
    assert (stats.requests, stats.retries) == (4, 3)
    assert stats.seconds_rate_limited > 0.25


def test_within_the_limit_nothing_is_waited_for(opened: Open, stub: Stub) -> None:
    session, stats = opened("fast", {"requests": 3, "per_seconds": 60})
    for _ in range(3):
        session.get(stub.url)
    assert stats.seconds_rate_limited < 0.05


def test_an_api_without_a_limit_is_asked_politely_but_for_one_on_this_machine() -> None:
    assert Pace("hours", HOST, None).limit == POLITE
    for local in ("http://127.0.0.1:8765/x", "http://localhost", "http://[::1]:1"):
        assert Pace("hours", local, None).limit is None
        assert Pace("hours", local, None).wait() == 0
    slow = RateLimitSpec(requests=1, per_seconds=60)
    assert Pace("hours", "http://127.0.0.1:8765/x", slow).limit == slow


def test_another_api_or_another_host_has_a_limit_of_its_own() -> None:
    """Each would wait a minute if it were the other's."""
    slow = RateLimitSpec(requests=1, per_seconds=60)
    paces = [Pace("one", HOST, slow), Pace("other", HOST, slow), Pace("one", f"{HOST}.org", slow)]
    assert max(pace.wait() for pace in paces) < 1
