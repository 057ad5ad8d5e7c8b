"""The pace that is kept: the file's rate limit, over resources, threads and retries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from timetracking_assets.ingest.http import pace
from timetracking_assets.ingest.http.pace import POLITE, LongPauseError, Pace
from timetracking_assets.ingest.http.session import open_session
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.model import RateLimitSpec

if TYPE_CHECKING:
    from requests import Session

    from tests.support.stub_api import Stub

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
        sessions.append(session)
        return session, stats

    yield open_
    for session in sessions:
        session.close()


def test_all_resources_and_threads_of_an_api_share_its_limit(opened: Open, stub: Stub) -> None:
    stub.answers = [(200, {}, b"")]
    limit = {"requests": 4, "per_seconds": 0.4}
    stats: list[RequestStats] = []

    def ask(label: str) -> None:
        session, counted = opened("shared", limit, label)
        stats.append(counted)
        for _ in range(4):
            session.get(stub.url)

    threads = [Thread(target=ask, args=(f"shared/{number}",)) for number in range(3)]
    started = monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # the last four of twelve wait for two times 0.4 s, however slow the machine is
    assert monotonic() - started > 0.75
    assert len(stub.paths) == sum(one.requests for one in stats) == 12
    assert sum(one.seconds_rate_limited for one in stats) > 0
    assert all(one.seconds >= one.seconds_rate_limited for one in stats)


def test_retries_keep_to_the_limit(opened: Open, stub: Stub) -> None:
    stub.answers = [(503, {}, b"")] * 3 + [(200, {}, b"")]
    session, stats = opened("retries", {"requests": 1, "per_seconds": 0.1})
    started = monotonic()
    session.get(stub.url)
    assert (stats.requests, stats.retries) == (4, 3)
    assert monotonic() - started > 0.25
    assert stats.seconds_rate_limited > 0


def test_within_the_limit_nothing_is_waited_for(opened: Open, stub: Stub) -> None:
    session, stats = opened("fast", {"requests": 3, "per_seconds": 60})
    for _ in range(3):
        session.get(stub.url)
    assert stats.seconds_rate_limited < 5


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
    assert max(pace.wait() for pace in paces) < 30


class _Paused:
    """Shared limits of a server that knows of a pause, and forgets it when it was read."""

    def __init__(self, *seconds: float) -> None:
        self.left = list(seconds)

    def pause_left(self, key: str) -> float:
        return self.left.pop(0) if self.left else 0.0


def test_a_pause_is_waited_out_unless_it_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def paused(*seconds: float) -> Pace:
        monkeypatch.setattr(pace, "shared_limits", lambda: _Paused(*seconds))
        return Pace("hours", "http://127.0.0.1:1", None)

    # a pause that another one makes longer is waited out, too
    assert paused(0.1, 0.1).wait(longest_pause=1) >= 0.2
    with pytest.raises(LongPauseError) as refused:
        paused(3600).wait(longest_pause=120)
    assert refused.value.seconds == 3600
    with pytest.raises(LongPauseError):
        paused(60).wait(longest_pause=120, deadline=monotonic() + 1)
