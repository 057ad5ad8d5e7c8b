"""A limit on the time of a whole attempt: from the connection to the last byte of the body.

The time-outs of `requests` are for each read: a server that sends a byte a second, or one
`100 Continue` after the other, never reaches them. No public setting of requests or urllib3 limits
the whole, so here its connections are watched: at the limit the socket is shut down. One thread of
the process does that for all limits: to start one for each request takes longer than many a page.
"""

from __future__ import annotations

import math
import os
import socket
import time
from contextvars import ContextVar
from threading import Condition, Lock, Thread
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
        self.end = math.inf
        """When it is reached, by the monotonic clock."""
        self._lock, self._over = Lock(), False
        self._connection: Any = None
        self._socket: Any = None
        self._expired = False

    def __enter__(self) -> TimeLimit:
        self.end = time.monotonic() + self._seconds
        self._token = _running.set(self)
        self._keeper = _keeper
        self._keeper.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._keeper.remove(self)
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

    def expire(self) -> None:
        """Shut the connection down, unless the attempt is over."""
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


class _Keeper:
    """Expires the running limits, each at its end, in a thread that the first one starts."""

    def __init__(self) -> None:
        self._limits: set[TimeLimit] = set()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._wakes_at = math.inf

    def add(self, limit: TimeLimit) -> None:
        """Expire `limit` at its end, unless it is removed before."""
        with self._changed:
            self._limits.add(limit)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="time limits", daemon=True)
                self._thread.start()
            elif limit.end < self._wakes_at:
                self._changed.notify()

    def remove(self, limit: TimeLimit) -> None:
        """Forget `limit`."""
        with self._changed:
            self._limits.discard(limit)

    def _run(self) -> None:
        while True:
            with self._changed:
                # asleep until the earliest end, also if that limit is removed meanwhile: most are,
                # and each would wake the thread
                self._wakes_at = min((limit.end for limit in self._limits), default=math.inf)
                left = self._wakes_at - time.monotonic()
                if left > 0:
                    self._changed.wait(None if math.isinf(left) else left)
                    continue
                now = time.monotonic()
                over = {limit for limit in self._limits if limit.end <= now}
                self._limits -= over
            for limit in over:
                limit.expire()


def _new_keeper() -> None:
    global _keeper
    _keeper = _Keeper()


_keeper = _Keeper()
# a forked process has none of its parent's threads
os.register_at_fork(after_in_child=_new_keeper)

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
