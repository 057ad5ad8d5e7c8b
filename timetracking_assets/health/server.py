"""The health report served on this machine, built again when it is older than a set age."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route


def create_app(build: Callable[[], str], max_age: float) -> Starlette:
    """An application with one page. `build` makes it, at most once in `max_age` seconds."""
    page = _Page(build, max_age)

    # not a coroutine: building takes seconds, so it runs in a thread
    def show(_: Request) -> Response:
        try:
            return HTMLResponse(page.current(), headers={"Cache-Control": "no-store"})
        except Exception as error:
            text = f"The report can't be built: {error}"
            return PlainTextResponse(text, status_code=500)

    # only as this machine: a web site must not read it through a name of its own
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return Starlette(routes=[Route("/", show)], middleware=[hosts])


class _Page:
    def __init__(self, build: Callable[[], str], max_age: float) -> None:
        self._build, self._max_age = build, max_age
        self._lock = threading.Lock()
        self._built: tuple[float, str] | None = None

    def current(self) -> str:
        with self._lock:
            now = time.monotonic()
            if self._built is None or now - self._built[0] > self._max_age:
                self._built = (time.monotonic(), self._build())
            return self._built[1]


def listen(port: int) -> socket.socket:
    """A socket of this machine for `serve`; 0 takes a free port. Raises OSError."""
    return socket.create_server(("127.0.0.1", port))


def serve(build: Callable[[], str], listener: socket.socket, max_age: float) -> None:
    """Serve the page until Ctrl-C."""
    config = uvicorn.Config(create_app(build, max_age), lifespan="off", log_level="warning")
    # uvicorn ends in order, then hands the interrupt on
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
