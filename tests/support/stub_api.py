"""A server in the test's hands: prepared answers, and each request as it came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
Wire = Iterable[bytes]
"""An answer as it goes over the wire, headers and all; the connection is closed at its end."""


class Stub(ThreadingHTTPServer):
    """Gives one prepared answer after the other, the last one for ever.

    An answer is (status, headers, body), or the parts of the wire's bytes, or a function that gives
    one for the path and the body that were sent; status 0 closes the connection.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers: list[Answer | Wire | Callable[[str, bytes], Answer | Wire]] = [
            (200, {}, b'{"data": [{"id": 1}]}')
        ]
        self.paths: list[str] = []
        self.received: list[bytes] = []
        """Each request as it came: its line, headers and body."""
        self.sleep = 0.0

    def handle_error(self, *args: Any) -> None:
        """Silent: a client may hang up."""


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
        given = answer(self.path, body) if callable(answer) else answer
        if not isinstance(given, tuple):
            self._write(given)
            return
        status, headers, content = given
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _write(self, parts: Wire) -> None:
        self.close_connection = True
        for part in parts:
            self.wfile.write(part)
            self.wfile.flush()

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
