"""Small builders: a resource, a page, a specification, a server with prepared answers.

Each test says only what it is about.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec
import pytest

from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.spec.model import ApiSpec, ColumnSpec
from timetracking_assets.spec.resolve import resolve
from timetracking_assets.spec.window import PartitionsSpec, WindowSpec

MakeResource = Callable[..., Resource]
MakePage = Callable[..., Page]
Resolve = Callable[..., Api]


Answer = tuple[int, dict[str, str], bytes]


class Stub(ThreadingHTTPServer):
    """Gives one prepared answer after the other, the last one for ever.

    An answer is (status, headers, body), or a function that gives one for the path and the body
    that were sent; status 0 closes the connection.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.forget()

    def handle_error(self, *args: Any) -> None:
        """Silent: a client may hang up."""

    def forget(self) -> None:
        """As at the start."""
        self.answers: list[Answer | Callable[[str, bytes], Answer]] = [
            (200, {}, b'{"data": [{"id": 1}]}')
        ]
        self.paths: list[str] = []
        self.received: list[bytes] = []
        """Each request as it came: its line, headers and body."""
        self.sleep = 0.0


class Handler(BaseHTTPRequestHandler):
    server: Stub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.paths.append(self.path)
        server.received.append(f"{self.requestline}\n{self.headers}".encode() + body)
        time.sleep(server.sleep)
        answers = server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        status, headers, content = answer(self.path, body) if callable(answer) else answer
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Silent."""


@contextmanager
def running_stub(server: Stub) -> Iterator[Stub]:
    with server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def _stub() -> Iterator[Stub]:
    with running_stub(Stub()) as server:
        yield server


@pytest.fixture(scope="session")
def _other_stub() -> Iterator[Stub]:
    with running_stub(Stub()) as server:
        yield server


@pytest.fixture
def stub(_stub: Stub) -> Stub:
    """An API in one's hands."""
    _stub.forget()
    return _stub


@pytest.fixture
def other_stub(_other_stub: Stub) -> Stub:
    """Another host."""
    _other_stub.forget()
    return _other_stub


def build_resource(**given: Any) -> Resource:
    columns = {
        name: ColumnSpec.model_validate(spec if isinstance(spec, dict) else {"data_type": spec})
        for name, spec in given.pop("columns", {}).items()
    }
    window = given.pop("window", None)
    partitioned = PartitionsSpec(type="daily", start="2026-01-01") if window else None
    values: dict[str, Any] = {
        "api": "hours",
        "name": "entries",
        "description": None,
        "endpoint": {"path": "entries", "params": {}, "paginator": {"type": "page_number"}},
        "data_selector": "data",
        "page_size": None,
        "repeated_page": "refuse",
        "success_codes": (),
        "null_is_empty": False,
        "max_pages": 100,
        "primary_key": ("id",),
        "sync_mode": "snapshot",
        "partitions": partitioned,
        "window": WindowSpec(field=window, start_param="from") if window else None,
        "columns": columns,
        "parent": None,
        "include_from_parent": (),
    }
    return Resource(**{**values, **given})


def build_page(*rows: Any, number: int = 1, from_parent: dict[str, Any] | None = None) -> Page:
    """A page of rows; a row is a dict, or JSON text where digits matter."""
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    raw = [msgspec.Raw(text.encode()) for text in texts]
    return Page(number, "https://api.example/entries", raw, from_parent or {})


def build_api(*resources: dict[str, Any], **given: Any) -> Api:
    """Resolve a specification whose defaults are complete: what is wrong is what a test gives."""
    spec: dict[str, Any] = {
        "name": "hours",
        "client": {"base_url": "${HOURS_BASE_URL}"},
        "resource_defaults": {
            "primary_key": "id",
            "endpoint": {"data_selector": "data", "paginator": "single_page"},
        },
        "resources": list(resources),
    }
    return resolve(ApiSpec.model_validate({**spec, **given}))


@pytest.fixture(scope="session")
def resource() -> MakeResource:
    return build_resource


@pytest.fixture(scope="session")
def page() -> MakePage:
    return build_page


@pytest.fixture(scope="session")
def api() -> Resolve:
    return build_api


def ours(action: Callable[[], Any]) -> IngestError:
    """The error of ours that `action` raises, inside whatever dlt wraps around it."""
    cause: BaseException | None = None
    try:
        action()
    except Exception as error:
        cause = error
    while cause is not None and not isinstance(cause, IngestError):
        cause = cause.__cause__ or cause.__context__
    assert cause is not None, "nothing of ours was raised"
    return cause


@pytest.fixture(scope="session")
def refusal() -> Callable[[Callable[[], Any]], IngestError]:
    """`refusal(action)`: the error of ours that it raises."""
    return ours
