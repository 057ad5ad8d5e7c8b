"""The session against a stub server: what is repeated, counted, refused, and what is said."""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests

from timetracking_assets.ingest.api import Resource
from timetracking_assets.ingest.errors import AnswerError, ApiError
from timetracking_assets.ingest.pages import ROWS, page_splitter
from timetracking_assets.ingest.redaction import Redactor
from timetracking_assets.ingest.session import RequestStats, open_session
from timetracking_assets.ingest.spec import RetrySpec

MakeResource = Callable[..., Resource]
SECRET = "top-secret-key"
BODY = json.dumps({"data": [{"id": 1}]}).encode()
HOOKS = {"response": lambda answer, **_: answer.raise_for_status()}
Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (200, {}, BODY)


class Stub(ThreadingHTTPServer):
    """Gives one prepared answer after the other, the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Answer] = [OK]
        self.paths: list[str] = []
        self.sleep = 0.0
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_GET(self) -> None:
        server = self.server
        server.paths.append(self.path)
        time.sleep(server.sleep)
        answers = server.answers
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def running_stub() -> Iterator[Stub]:
    with Stub() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def stub(running_stub: Stub) -> Stub:
    running_stub.answers, running_stub.paths, running_stub.sleep = [OK], [], 0.0
    return running_stub


class Client:
    """A session and what it counted."""

    def __init__(self, resource: Resource, base_url: str, **retry: Any) -> None:
        self.stats = RequestStats()
        self.session = open_session(
            resource,
            base_url,
            RetrySpec(**{"backoff_factor": 0, "timeout": 5, **retry}),
            Redactor([SECRET]),
            self.stats,
            page_splitter(resource),
        )
        self.session.trust_env = False
        self.base_url = base_url

    def get(self, path: str = "/entries") -> requests.Response:
        return self.session.get(f"{self.base_url}{path}", params={"api_key": SECRET}, hooks=HOOKS)

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
def client(stub: Stub, resource: MakeResource) -> Iterator[Callable[..., Client]]:
    opened: list[Client] = []

    def open_client(base_url: str = stub.url, **retry: Any) -> Client:
        opened.append(Client(resource(), base_url, **retry))
        return opened[-1]

    yield open_client
    for one in opened:
        one.session.close()


def test_a_success_is_split_and_counted(client: Callable[..., Client]) -> None:
    asked = client()
    [page] = asked.get().json()[ROWS]
    assert [bytes(row) for row in page.rows] == [b'{"id": 1}']
    asked.get("/others")
    assert (asked.stats.requests, asked.stats.retries) == (2, 0)
    assert asked.stats.bytes == 2 * len(BODY)
    assert 0 < asked.stats.seconds < 5


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
    assert "It said: down, ***" in str(error)
    assert len(stub.paths) == asked.stats.requests == requests_made
    assert asked.stats.retries == requests_made - 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "compare `endpoint` with its documentation"),
        (401, "credentials were not accepted"),
        (403, "may not read this"),
        (404, "check the base URL, `path` and the configured ids"),
        (501, "the message below is its own"),
    ],
)
def test_a_refusal_is_not_repeated_and_says_what_to_check(
    stub: Stub, client: Callable[..., Client], status: int, said: str
) -> None:
    stub.answers = [(status, {}, b'{"error":\n "no"}')]
    error = client().failure()
    assert said in str(error)
    assert 'It said: {"error": "no"}' in str(error)
    assert error.transient is (status >= 500)
    assert len(stub.paths) == 1


def test_an_answer_cut_in_the_middle_is_repeated(stub: Stub, client: Callable[..., Client]) -> None:
    cut: Answer = (200, {"Content-Length": "1000", "Connection": "close"}, BODY)
    stub.answers = [cut, OK]
    asked = client()
    assert len(asked.get().json()[ROWS]) == 1
    assert asked.stats.retries == 1
    stub.answers = [cut]
    error = client(max_retries=0).failure()
    assert "the connection was cut in the middle" in str(error)
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
    [page] = asked.get().json()[ROWS]
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
    assert f"sent us on to another host ({target.removeprefix('http://')})" in str(error)
    assert not error.transient
    assert len(stub.paths) == 1
    assert asked.stats.requests == 1


def test_an_answer_that_is_no_page_is_an_answer_error(
    stub: Stub, client: Callable[..., Client]
) -> None:
    stub.answers = [(200, {}, f"<html>{SECRET}".encode())]
    error = client().failure()
    assert isinstance(error, AnswerError)
    assert "is not JSON. It begins with: '<html>***'" in str(error)


def test_a_silent_server_is_given_up(stub: Stub, client: Callable[..., Client]) -> None:
    stub.sleep = 0.5
    asked = client(timeout=0.05, max_retries=1)
    error = asked.failure()
    assert "it did not answer in time" in str(error)
    assert error.transient
    assert asked.stats.requests == 2


@pytest.mark.parametrize(
    ("base_url", "said"),
    [
        ("http://127.0.0.1:1", "nothing answers there"),
        ("127.0.0.1", "it needs http:// or https://"),
        ("ftp://127.0.0.1", "it needs http:// or https://"),
        ("http://", "that is not a URL"),
    ],
)
def test_a_base_url_where_nothing_is(
    client: Callable[..., Client], base_url: str, said: str
) -> None:
    asked = client(base_url, max_retries=0)
    request = requests.Request("GET", f"http://127.0.0.1:1/?api_key={SECRET}").prepare()
    request.url = f"{base_url}/entries?api_key={SECRET}"
    with pytest.raises(ApiError, match=said) as refused:
        asked.session.send(request)
    assert SECRET not in str(refused.value)
