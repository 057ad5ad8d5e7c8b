"""The session against a stub server: what is repeated, counted, refused, and what is said."""

from __future__ import annotations

import gzip
import json
import re
import socket
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import requests

from timetracking_assets.errors import AnswerError, ApiError
from timetracking_assets.ingest.http.session import open_session
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.page import Page, PageReader
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.spec.model import RetrySpec

if TYPE_CHECKING:
    from tests.support.stub_api import Answer, Stub

MakeResource = Callable[..., Resource]
Resolve = Callable[..., Api]
SECRET = "top-secret-key"
BODY = json.dumps({"data": [{"id": 1}]}).encode()
HOOKS = {"response": lambda answer, **_: answer.raise_for_status()}
OK: Answer = (200, {}, BODY)


class Client:
    """A session and what it counted."""

    def __init__(self, api: Resolve, resource: Resource, base_url: str, **given: Any) -> None:
        self.stats = RequestStats()
        self.reader = PageReader(resource, self.stats, count(1))
        retry = {key: given.pop(key) for key in RetrySpec.model_fields.keys() & given.keys()}
        settings = {"backoff_factor": 0, "timeout": 5, **retry}
        self.session = open_session(
            api({"name": resource.name, "endpoint": {"path": "x"}}, retry=settings, **given),
            resource.label,
            base_url,
            Redactor([SECRET]),
            self.stats,
            self.reader.read,
        )
        self.base_url = base_url

    def get(self, path: str = "/entries") -> requests.Response:
        return self.session.get(f"{self.base_url}{path}", params={"api_key": SECRET}, hooks=HOOKS)

    def page(self) -> Page:
        return self.reader.page_of(self.get())

    def failure(self, path: str = "/entries") -> ApiError:
        with pytest.raises(ApiError) as refused:
            self.get(path)
        error = refused.value
        # nothing that dlt could pickle into its trace, either
        assert error.__cause__ is None
        assert error.__context__ is None
        assert SECRET not in str(error)
        assert str(error).startswith("hours/entries: ")
        return error


@pytest.fixture
def client(stub: Stub, resource: MakeResource, api: Resolve) -> Iterator[Callable[..., Client]]:
    """`client(base_url, max_retries=0, quota={...})`: keys of `retry` and of the specification."""
    opened: list[Client] = []

    def open_client(base_url: str = stub.url, **given: Any) -> Client:
        opened.append(Client(api, resource(), base_url, **given))
        return opened[-1]

    yield open_client
    for one in opened:
        one.session.close()


def test_a_success_is_split_and_counted(client: Callable[..., Client]) -> None:
    asked = client()
    page = asked.page()
    assert [bytes(row) for row in page.rows] == [b'{"id": 1}']
    asked.get("/others")
    assert (asked.stats.requests, asked.stats.retries) == (2, 0)
    assert asked.stats.bytes == 2 * len(BODY)
    assert asked.stats.seconds > 0


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 0])
def test_a_passing_failure_is_repeated(
    stub: Stub, client: Callable[..., Client], status: int
) -> None:
    stub.answers = [(status, {}, b"")] * 3 + [OK]
    asked = client()
    assert asked.get().status_code == 200
    assert (asked.stats.requests, asked.stats.retries, len(stub.paths)) == (4, 3, 4)


@pytest.mark.parametrize(("max_retries", "requests_made"), [(0, 1), (2, 3)])
def test_a_lasting_failure_is_repeated_only_so_often(
    stub: Stub, client: Callable[..., Client], max_retries: int, requests_made: int
) -> None:
    stub.answers = [(503, {}, f"down, {SECRET}".encode())]
    asked = client(max_retries=max_retries)
    error = asked.failure()
    assert error.transient
    assert "HTTP 503 from GET" in str(error)
    assert "Its message: down, ***" in str(error)
    assert len(stub.paths) == asked.stats.requests == requests_made
    assert asked.stats.retries == requests_made - 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "compare `endpoint` with its documentation"),
        (401, "credentials were not accepted"),
        (403, "may not read this"),
        (404, "check the base URL, `path` and the configured ids"),
        (501, "the API failed; see its message"),
    ],
)
def test_a_refusal_is_not_repeated_and_says_what_to_check(
    stub: Stub, client: Callable[..., Client], status: int, message: str
) -> None:
    stub.answers = [(status, {}, b'{"error":\n "no"}')]
    error = client().failure()
    assert message in str(error)
    assert 'Its message: {"error": "no"}' in str(error)
    assert error.transient is (status >= 500)
    assert len(stub.paths) == 1


def test_an_answer_cut_in_the_middle_is_repeated(stub: Stub, client: Callable[..., Client]) -> None:
    cut: Answer = (200, {"Content-Length": "1000", "Connection": "close"}, BODY)
    stub.answers = [cut, OK]
    asked = client()
    assert len(asked.page().rows) == 1
    assert asked.stats.retries == 1
    stub.answers = [cut]
    error = client(max_retries=0).failure()
    assert "the connection was cut before the end" in str(error)
    assert error.transient


def test_a_server_that_hangs_up_is_not_taken_for_none(
    stub: Stub, client: Callable[..., Client]
) -> None:
    stub.answers = [(0, {}, b"")]
    error = client(max_retries=0).failure()
    assert "the connection was cut before the end of an answer" in str(error)
    assert error.transient


def test_the_statuses_to_repeat_are_configured(stub: Stub, client: Callable[..., Client]) -> None:
    stub.answers = [(418, {}, b""), (503, {}, b""), OK]
    error = client(status_codes=[418]).failure()
    assert "HTTP 503" in str(error)
    assert len(stub.paths) == 2


@pytest.mark.parametrize("before", [0, 290, 295])
def test_a_secret_is_masked_before_the_message_is_cut(
    stub: Stub, client: Callable[..., Client], before: int
) -> None:
    stub.answers = [(403, {}, b"x" * before + SECRET.encode())]
    assert "top-" not in str(client().failure())


def test_a_redirect_on_the_same_host_is_one_request_more_and_no_retry(
    stub: Stub, client: Callable[..., Client]
) -> None:
    stub.answers = [(302, {"Location": "/there"}, b""), OK]
    asked = client()
    page = asked.page()
    assert page.number == 1
    assert [path.partition("?")[0] for path in stub.paths] == ["/entries", "/there"]
    assert (asked.stats.requests, asked.stats.retries) == (2, 0)
    assert asked.stats.bytes == len(BODY)


@pytest.mark.parametrize("elsewhere", ["http://localhost:{port}", "http://127.0.0.1:1"])
def test_a_redirect_to_another_host_is_refused(
    stub: Stub, client: Callable[..., Client], elsewhere: str
) -> None:
    target = elsewhere.format(port=stub.server_port)
    stub.answers = [(302, {"Location": f"{target}/?api_key={SECRET}"}, b""), OK]
    asked = client()
    error = asked.failure()
    assert f"refers to another host ({target.removeprefix('http://')})" in str(error)
    assert not error.transient
    assert len(stub.paths) == 1
    assert asked.stats.requests == 1


def test_an_answer_that_is_no_page_is_an_answer_error(
    stub: Stub, client: Callable[..., Client]
) -> None:
    stub.answers = [(200, {}, f"<html>{SECRET}".encode())]
    error = client().failure()
    assert isinstance(error, AnswerError)
    assert "is not JSON: invalid character (byte 0). It begins with: '<html>***'" in str(error)


def test_a_silent_server_is_given_up(stub: Stub, client: Callable[..., Client]) -> None:
    stub.sleep = 5
    asked = client(timeout=0.05, max_retries=1)
    error = asked.failure()
    assert "it did not answer in time" in str(error)
    assert error.transient
    assert asked.stats.requests == 2


def test_a_base_url_where_no_server_is(client: Callable[..., Client]) -> None:
    error = client("http://127.0.0.1:1", max_retries=0).failure()
    assert "no server answers there. Check the base URL (http://127.0.0.1:1)" in str(error)
    assert error.transient


def test_a_host_that_does_not_exist(
    client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = client("http://api.example.invalid", max_retries=0).failure()
    assert "no host of that name can be found. Check the base URL" in str(error)
    assert error.transient


@pytest.mark.parametrize("status", [402, 429])
def test_a_quota_that_comes_back_soon_is_waited_for(
    stub: Stub, client: Callable[..., Client], status: int
) -> None:
    """Once, by dlt's session; the backoff alone would not wait at all."""
    reset = {"X-Reset": "0.2", "X-Left": "0"}
    stub.answers = [(status, reset, b""), (200, {"X-Left": "99"}, BODY)]
    asked = client(quota={"reset_header": "X-Reset", "remaining_header": "X-Left"}, max_delay=0.1)
    assert asked.get().status_code == 200
    assert (asked.stats.requests, asked.stats.retries) == (2, 1)
    assert 1 <= asked.stats.seconds_quota <= asked.stats.seconds
    assert asked.stats.quota_remaining == 99


@pytest.mark.parametrize("status", [402, 429])
def test_a_quota_that_comes_back_late_fails_at_once(
    stub: Stub, client: Callable[..., Client], status: int
) -> None:
    headers = {"Retry-After": "3600", "X-Left": "0"}
    stub.answers = [(status, headers, f"none left for {SECRET}".encode())]
    asked = client(quota={"remaining_header": "X-Left"})
    error = asked.failure()
    assert f"HTTP {status} from GET" in str(error)
    assert re.search(r"used up until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, in 3600 s", str(error))
    assert "Its message: none left for ***" in str(error)
    assert not error.transient
    assert asked.stats.requests == 1
    assert asked.stats.quota_remaining == 0


def test_a_402_that_says_no_more_fails_at_once(stub: Stub, client: Callable[..., Client]) -> None:
    stub.answers = [(402, {}, b"x" * 10_000)]
    asked = client()
    error = asked.failure()
    assert "the API requires a payment, or its quota is used up" in str(error)
    assert "quota.reset_header" in str(error)
    assert len(str(error)) < 1000
    assert not error.transient
    assert asked.stats.requests == 1


def test_a_quota_that_never_comes_back_is_given_up_with_when_to_try(
    stub: Stub, client: Callable[..., Client]
) -> None:
    stub.answers = [(429, {"Retry-After": "60"}, b"")]
    asked = client(max_retries=0)
    error = asked.failure()
    assert "it resets at 20" in str(error)
    assert error.transient


@pytest.mark.parametrize(
    ("status", "encoding"),
    [(200, "gzip"), (200, "deflate"), (200, "gzip, gzip"), (200, "identity"), (403, "gzip")],
)
def test_an_answer_that_is_too_large_is_refused(
    stub: Stub, client: Callable[..., Client], encoding: str, status: int
) -> None:
    """A few bytes on the wire that become 50 MB never sit in memory."""
    bomb = _compressed(encoding, 50 if encoding != "identity" else 2)
    stub.answers = [(status, {"Content-Encoding": encoding}, bomb)]
    asked = client(max_response_bytes=1_000_000)
    tracemalloc.start()
    error = asked.failure()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(error, AnswerError)
    assert "more than 1000000 bytes (`max_response_bytes`), after decompression" in str(error)
    assert not error.transient
    assert asked.stats.requests == 1
    assert peak < 15_000_000


def test_an_answer_of_just_the_largest_size_is_taken(
    stub: Stub, client: Callable[..., Client]
) -> None:
    stub.answers = [(200, {"Content-Encoding": "gzip"}, gzip.compress(BODY))]
    asked = client(max_response_bytes=len(BODY))
    assert len(asked.page().rows) == 1
    assert asked.stats.bytes == len(BODY)
    client(max_response_bytes=len(BODY) - 1).failure()


def _compressed(encoding: str, megabytes: int) -> bytes:
    """That many MB of zeros."""
    if encoding == "identity":
        return bytes(megabytes * 1_000_000)
    packer = zlib.compressobj(1, wbits=15 if encoding == "deflate" else 31)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(megabytes))
    packed += packer.flush()
    return gzip.compress(packed) if encoding == "gzip, gzip" else packed
