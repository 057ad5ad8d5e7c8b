"""A limit on the time of a whole attempt: from the connection to the last byte of the body.

The time-outs of `requests` are for each read: a server that sends a byte a second, or one
`100 Continue` after the other, never reaches them. No public setting of requests or urllib3 limits
the whole, so here its connections are watched: at the limit the socket is shut down.
"""

from __future__ import annotations

import socket
from contextvars import ContextVar
from threading import Lock, Timer
from types import TracebackType
from typing import Any

import requests
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class TotalTimeoutError(requests.Timeout):
    """An attempt took longer than it may as a whole."""


class TimeLimit:
    """Ends what is done inside on a watched connection after `seconds`, by TotalTimeoutError."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock, self._over = Lock(), False
        self._connection: Any = None
        self._socket: Any = None
        self._expired = False

    def __enter__(self) -> TimeLimit:
        self._timer = Timer(self._seconds, self._expire)
        self._timer.daemon = True
        self._token = _running.set(self)
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        _running.reset(self._token)
        with self._lock:
            self._over = True
        if self._expired:
            raise TotalTimeoutError(f"took longer than {self._seconds:g} s (`total_timeout`)")

    def watch(self, connection: Any) -> None:
        """Shut this connection down at the limit, or now if that has passed."""
        if self._expired:
            raise TotalTimeoutError
        self._connection = connection
        self._socket = connection.sock

    def _expire(self) -> None:
        with self._lock:
            if self._over:
                # the connection may be in use by the next attempt
                return
            self._expired = True
            # a connection gives its socket away to a body that ends with it
            for one in {self._socket, getattr(self._connection, "sock", None)} - {None}:
                try:
                    # of the socket itself: TLS would first forget what another thread reads with
                    socket.socket.shutdown(one, socket.SHUT_RDWR)
                except OSError:
                    continue


_running: ContextVar[TimeLimit | None] = ContextVar("running", default=None)


class _Watched:
    """A connection of urllib3 that the running time limit watches, once it is made or used."""

    sock: Any

    def connect(self) -> None:
        self._be_watched()
        super().connect()  # type: ignore[misc]
        self._be_watched()

    def getresponse(self) -> Any:
        self._be_watched()
        return super().getresponse()  # type: ignore[misc]

    def _be_watched(self) -> None:
        limit = _running.get()
        if limit is not None:
            limit.watch(self)


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


WATCHED_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _HTTPPool, "https": _HTTPSPool}
"""Pools of watched connections: the `pool_classes_by_scheme` of a pool manager."""
