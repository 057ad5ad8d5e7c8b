"""Servers that never come to an end: each attempt, and each load, does."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from timetracking_assets.ingest.http.time_limit import TimeLimit
from timetracking_assets.spec.model import RetrySpec

if TYPE_CHECKING:
    from tests.support.stub_api import Stub, Wire
    from tests.unit.ingest.http.conftest import Requester

Open = Callable[..., "Requester"]
OK = b"HTTP/1.1 200 OK\r\n"


def for_ever(part: bytes, seconds: float, begin: bytes = b"") -> Callable[[str, bytes], Wire]:
    def parts() -> Iterator[bytes]:
        yield begin
        end = time.monotonic() + 20
        while time.monotonic() < end:
            yield part
            time.sleep(seconds)

    return lambda *_: parts()


ENDLESS = {
    "a byte a moment": for_ever(b" ", 0.05, OK + b"Content-Length: 1000000\r\n\r\n"),
    "a body without a length": for_ever(b" ", 0.05, OK + b"\r\n["),
    "a chunk a moment": for_ever(b"1\r\n \r\n", 0.05, OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "a chunk's length": for_ever(b"0", 0.05, OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "a header a moment": for_ever(b"X", 0.05, OK + b"X-A: "),
    "100 Continue": for_ever(b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
    "the body of an error": for_ever(b" ", 0.05, b"HTTP/1.1 401 No\r\nContent-Length: 999\r\n\r\n"),
}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_an_attempt_ends(stub: Stub, requester: Open, answer: Callable[[str, bytes], Wire]) -> None:
    stub.answers = [answer]
    client = requester(stub.url, total_timeout=0.5, timeout=3, max_retries=1)
    started = time.monotonic()
    error = client.failure()
    assert 1 <= time.monotonic() - started < 15
    assert "it took longer than 0.5 s (`total_timeout`)" in str(error)
    assert error.transient
    assert len(stub.paths) == client.stats.requests == 2


def test_the_next_attempt_may_succeed(stub: Stub, requester: Open) -> None:
    stub.answers = [ENDLESS["a byte a moment"], (200, {}, b"[]")]
    client = requester(stub.url, total_timeout=2)
    assert client.get().content == b"[]"
    assert client.get().content == b"[]"
    assert client.stats.retries == 1


def test_the_limit_is_ten_times_the_timeout() -> None:
    assert RetrySpec(timeout=5).total == 50
    assert RetrySpec(timeout=5, total_timeout=7).total == 7


def test_a_host_that_takes_connections_and_is_silent_is_left_to_the_timeout(
    requester: Open,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        error = requester(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.2, max_retries=0)
        assert "it did not answer in time" in str(error.failure())


def test_connections_are_kept(stub: Stub, requester: Open) -> None:
    """A limit that has passed does not end the next request on the same connection."""
    client = requester(stub.url, total_timeout=2)
    for _ in range(5):
        client.get()
        time.sleep(0.5)
    assert client.stats.retries == 0


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_a_load_ends(stub: Stub, requester: Open, answer: Callable[[str, bytes], Wire]) -> None:
    stub.answers = [answer]
    client = requester(stub.url, deadline=time.monotonic() + 0.5, total_timeout=5, load_timeout=0.5)
    started = time.monotonic()
    error = client.failure()
    assert time.monotonic() - started < 15
    assert "the requests of this load take longer than 0.5 s (`load_timeout`)" in str(error)
    assert not error.transient
    # none, if the time was over before a slow machine had sent it
    requested = len(stub.paths)
    assert requested <= 1
    client.failure()
    assert len(stub.paths) == requested


def test_a_load_does_not_wait_past_its_end(stub: Stub, requester: Open) -> None:
    stub.answers = [(429, {"Retry-After": "60"}, b"")]
    error = requester(stub.url, deadline=time.monotonic() + 30).failure()
    assert "`load_timeout`" in str(error)
    assert len(stub.paths) == 1


def test_threads_have_limits_of_their_own(stub: Stub, requester: Open) -> None:
    stub.answers = [
        lambda path, _: (
            (200, {}, b"[]") if path == "/quick" else ENDLESS["a byte a moment"]("", b"")
        )
    ]
    slow, quick = requester(stub.url, total_timeout=1, max_retries=0), requester(stub.url)
    thread = Thread(target=slow.failure)
    thread.start()
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        quick.get("/quick")
        time.sleep(0.02)
    thread.join()
    assert quick.stats.retries == 0
    assert slow.stats.requests == 1


def test_limits_start_no_thread_of_their_own(stub: Stub, requester: Open) -> None:
    client = requester(stub.url)
    client.get()
    started: list[Thread] = []
    begin = Thread.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Thread, "start", lambda thread: (started.append(thread), begin(thread)))
        client.get()
    assert not [thread for thread in started if "process_request" not in thread.name]


def test_a_limit_that_ends_earlier_is_not_kept_waiting_by_a_later_one(
    stub: Stub, requester: Open
) -> None:
    stub.answers = [ENDLESS["a byte a moment"]]
    with TimeLimit(60):
        error = requester(stub.url, total_timeout=0.5, timeout=3, max_retries=0).failure()
    assert "it took longer than 0.5 s (`total_timeout`)" in str(error)


def test_a_forked_process_has_limits(stub: Stub, requester: Open) -> None:
    stub.answers = [ENDLESS["a byte a moment"]]
    with TimeLimit(60):
        child = os.fork()
        if child == 0:
            error = requester(stub.url, total_timeout=0.5, timeout=3, max_retries=0).failure()
            os._exit(0 if "`total_timeout`" in str(error) else 1)
    assert os.waitpid(child, 0)[1] == 0
