"""A log of the requests to the APIs, as the client saw them, and how many ran at a time.

Requests to the control endpoints are not in it.
"""

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timetracking_assets.sandbox.catalog import PREFIXES, api_of_path

_KEPT: Final = 100_000


@dataclass(slots=True)
class LoggedRequest:
    """One request. `status` and `seconds` are None while it is being answered."""

    api: str
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    """Names in lower case; the last value of a name that came twice."""
    started: float
    """Seconds since 1970."""
    status: int | None = None
    seconds: float | None = None


class RequestLog:
    """The latest requests in the order in which they came, and the most that ran at a time."""

    def __init__(self) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=_KEPT)
        self._in_flight: Counter[str] = Counter()
        self._most_in_flight: Counter[str] = Counter()

    def begin(self, request: LoggedRequest) -> None:
        """A request came."""
        self._requests.append(request)
        self._in_flight[request.api] += 1
        running = self._in_flight[request.api]
        self._most_in_flight[request.api] = max(self._most_in_flight[request.api], running)

    def end(self, request: LoggedRequest, seconds: float) -> None:
        """It was answered, or its connection broke."""
        request.seconds = seconds
        self._in_flight[request.api] -= 1

    def clear(self) -> None:
        """Forget all requests; those still running count as the most so far."""
        self._requests.clear()
        self._most_in_flight = Counter(self._in_flight)

    def as_json(self) -> list[dict[str, Any]]:
        """The requests, oldest first."""
        return [asdict(request) for request in self._requests]

    def in_flight(self) -> dict[str, dict[str, int]]:
        """Per API, the requests running now, and the most at a time since the last clearing."""
        return {
            api: {"now": self._in_flight[api], "most": self._most_in_flight[api]}
            for api in PREFIXES
        }


class RequestLogger:
    """ASGI middleware that writes the log; outermost, so as to see what the client sees."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer and log one request."""
        api = api_of_path(scope["path"]) if scope["type"] == "http" else None
        if api is None:
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        request = LoggedRequest(
            api=api,
            method=scope["method"],
            path=scope["path"],
            query=parse_qsl(query, keep_blank_values=True),
            headers={
                name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
            },
            started=time.time(),
        )

        async def note_status(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
            await send(message)

        begun = time.perf_counter()
        self._log.begin(request)
        try:
            await self._app(scope, receive, note_status)
        finally:
            self._log.end(request, time.perf_counter() - begun)
