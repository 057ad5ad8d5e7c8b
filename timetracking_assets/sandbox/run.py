"""Runs the sandbox: in the foreground with `serve`, in a thread with `SandboxServer`.

The web framework is imported when a server starts, so that importing this module stays cheap.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from timetracking_assets.sandbox.credentials import sandbox_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from types import TracebackType

    import uvicorn

    from timetracking_assets.sandbox.remote_control import RemoteControl

DEFAULT_PORT: Final = 8_765

_START_TIMEOUT: Final = 30.0
_STOP_TIMEOUT: Final = 10.0


class PortInUseError(OSError):
    """Another program listens on the address already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            errno.EADDRINUSE,
            f"port {port} on {host} is in use: stop the program that holds it, or choose another "
            "port (0 chooses a free one)",
        )


def serve(
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    *,
    seed: int | None = None,
    today: date | None = None,
    odd_rows: bool = False,
    log_level: str = "warning",
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serve until interrupted.

    `seed`, `today` and `odd_rows` decide the data, see `server.create_app`. `on_listening` is
    called with the server's address once it is certain that the sandbox has it. Raises
    `PortInUseError` if the address is taken, `OSError` if it cannot be had for another reason.
    """
    with _listen(host, port) as listener:
        server = _uvicorn_server(seed, today, odd_rows, log_level)
        if on_listening is not None:
            on_listening(_url(listener))
        # uvicorn shuts down in order, then hands the interrupt on.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


class SandboxServer:
    """A sandbox in a background thread, as a context manager.

    With port 0 the system chooses a free one: read `url` or `environment` once it has started.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        seed: int | None = None,
        today: date | None = None,
        odd_rows: bool = False,
        log_level: str = "warning",
    ) -> None:
        self._address = (host, port)
        self._seed, self._odd_rows = seed, odd_rows
        self._today = today
        self._log_level = log_level
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The server's address with no path; `RuntimeError` before it has started."""
        if self._url is None:
            raise RuntimeError("the sandbox has not been started")
        return self._url

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point the product at this server."""
        return sandbox_environment(self.url)

    @property
    def first_day(self) -> date:
        """The first day of which the server has data."""
        from timetracking_assets.sandbox.dataset.calendar import Span

        return Span.until(self._today or datetime.now(UTC).date()).first

    @property
    def control(self) -> RemoteControl:
        """What changes this server's data and behaviour while it runs."""
        from timetracking_assets.sandbox.remote_control import RemoteControl

        return RemoteControl(self.url)

    def start(self) -> None:
        """Start, and return once it answers.

        Raises `PortInUseError` if the address is taken, `RuntimeError` if it runs already or
        doesn't start.
        """
        if self._thread is not None:
            raise RuntimeError("the sandbox runs already")
        listener = _listen(*self._address)
        try:
            server = _uvicorn_server(self._seed, self._today, self._odd_rows, self._log_level)
            thread = threading.Thread(
                target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
            )
            thread.start()
            _wait_until_started(server, thread)
        except BaseException:
            listener.close()
            raise
        self._server, self._thread, self._url = server, thread, _url(listener)

    def stop(self) -> None:
        """Stop, and return once the port is free; without effect if it does not run."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(_STOP_TIMEOUT)
        if self._thread.is_alive():
            raise RuntimeError(f"the sandbox did not stop within {_STOP_TIMEOUT:.0f} s")
        self._server = self._thread = self._url = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            server.should_exit = True
            raise RuntimeError("the sandbox did not start; the log says why")
        time.sleep(0.002)


def _uvicorn_server(
    seed: int | None, today: date | None, odd_rows: bool, log_level: str
) -> uvicorn.Server:
    import uvicorn

    from timetracking_assets.sandbox.dataset import DEFAULT_SEED
    from timetracking_assets.sandbox.server import create_app

    logging.getLogger("uvicorn.error").addFilter(_is_no_cut_answer)
    config = uvicorn.Config(
        create_app(seed=DEFAULT_SEED if seed is None else seed, today=today, odd_rows=odd_rows),
        # One implementation everywhere: a fault must look the same on every machine.
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        # The host program's logging stays as it is.
        log_config=None,
        log_level=log_level,
        # A slow fault must not hold up the end.
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _is_no_cut_answer(record: logging.LogRecord) -> bool:
    """Keeps the answers that are cut on purpose from being logged as errors."""
    return "without completing response" not in record.getMessage()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        # Elsewhere the option would allow two programs on one port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host, port) from None
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
