"""Plays latency and faults on requests to the APIs.

Which request gets which fault is decided in `faults`.
"""

import asyncio
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timetracking_assets.sandbox.apis.answers import json_error
from timetracking_assets.sandbox.catalog import api_of_path
from timetracking_assets.sandbox.faults import Fault, Faults

_FIRST_PAGE: Final = {"page": "1", "offset": "0"}


class Latency:
    """Seconds that every request to an API waits before it is answered."""

    def __init__(self) -> None:
        self.seconds = 0.0


class FaultPlayer:
    """ASGI middleware; everything that isn't below an API's prefix passes untouched."""

    def __init__(self, app: ASGIApp, faults: Faults, latency: Latency) -> None:
        self._app = app
        self._faults = faults
        self._latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        api = api_of_path(scope["path"]) if scope["type"] == "http" else None
        if api is None:
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        fault = self._faults.next_for(api, scope["path"], query)
        wait = self._latency.seconds + (fault.seconds if fault else 0.0)
        if wait:
            await asyncio.sleep(wait)
        if fault is None or fault.kind == "slow":
            await self._app(scope, receive, send)
        elif fault.kind == "repeat":
            await self._app({**scope, "query_string": _first_page(query)}, receive, send)
        elif fault.kind == "cut":
            await self._cut(scope, receive, send)
        else:
            await _made_up(fault)(scope, receive, send)

    async def _cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Announce the whole answer, send half of it, and leave: the server closes the connection.

        The half may be empty, never the missing part.
        """
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, collect)
        headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        announced = max(len(body), 1)
        headers.append((b"content-length", str(announced).encode()))
        await send({**start, "headers": headers})
        half = bytes(body[: len(body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})


def _first_page(query: str) -> bytes:
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, _FIRST_PAGE.get(name, value)) for name, value in pairs]).encode()


def _made_up(fault: Fault) -> Response:
    if fault.body is None and fault.kind == "status" and fault.has_body:
        message = f"a fault on demand: {fault.final_status}"
        return json_error(fault.final_status, message, headers=fault.headers)
    content_type = fault.content_type or "application/json"
    return Response(
        fault.body or "",
        fault.final_status,
        headers=fault.headers,
        media_type=content_type if fault.has_body else None,
    )
