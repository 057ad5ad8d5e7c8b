"""Plays latency and faults on requests to the APIs.

Which request gets which fault is decided in `faults`.
"""

import asyncio
import gzip
import json
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timetracking_assets.sandbox.apis.answers import json_error
from timetracking_assets.sandbox.catalog import api_of_path
from timetracking_assets.sandbox.faults import Fault, Faults
from timetracking_assets.sandbox.state import State
from timetracking_assets.sandbox.variations import (
    capped_query,
    following_query,
    headers_with_totals,
    local_days_query,
    map_of_rows,
    next_link,
    rows_of,
    with_rows,
    with_totals,
)

_FIRST_PAGE: Final = {"page": "1", "offset": "0"}
_CHUNK: Final = 512
"""Bytes of a piece that `chunk` sends."""

_MOMENT: Final = 0.1
"""Seconds between two bytes of `drip`."""


class Latency:
    """Seconds that every request to an API waits before it is answered."""

    def __init__(self) -> None:
        self.seconds = 0.0


class FaultPlayer:
    """ASGI middleware; everything that isn't below an API's prefix passes untouched."""

    def __init__(self, app: ASGIApp, faults: Faults, latency: Latency, state: State) -> None:
        self._app = app
        self._state = state
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
        if fault and fault.kind == "edit" and fault.resource:
            self._state.edit(api, fault.resource, fault.upsert, fault.delete)
        if fault is None or fault.kind in ("slow", "edit"):
            await self._app(scope, receive, send)
        elif fault.kind == "repeat":
            await self._app(_with_query(scope, _first_page(query)), receive, send)
        elif fault.kind == "cap":
            capped = capped_query(query, fault.rows or 1)
            await self._app(_with_query(scope, capped), receive, send)
        elif fault.kind == "local_days":
            days = local_days_query(query, fault.timezone or "UTC")
            await self._app(_with_query(scope, days), receive, send)
        elif fault.kind in ("total", "link", "map", "empty"):
            await self._varied(fault, scope, receive, send)
        elif fault.kind == "cut":
            await self._cut(scope, receive, send)
        elif fault.kind == "drip":
            await self._drip(scope, receive, send)
        elif fault.kind in ("truncate", "compress", "chunk", "encode"):
            await self._altered(fault, scope, receive, send)
        else:
            await _made_up(fault)(scope, receive, send)

    async def _cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Announce the whole answer, send half of it, and leave: the server closes the connection.

        The half may be empty, never the missing part.
        """
        start, body = await self._collected(scope, receive)
        headers = _without_length(start)
        announced = max(len(body), 1)
        headers.append((b"content-length", str(announced).encode()))
        await send({**start, "headers": headers})
        half = body[: len(body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})

    async def _drip(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send half of the answer, then a space a moment until the client leaves."""
        start, body = await self._collected(scope, receive)
        await send({**start, "headers": _without_length(start)})
        piece = body[: len(body) // 2]
        while True:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            try:
                message = await asyncio.wait_for(receive(), _MOMENT)
            except TimeoutError:
                piece = b" "
                continue
            if message["type"] == "http.disconnect":
                return

    async def _varied(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the right answer as another API would; an error as it is."""
        start, body = await self._collected(scope, receive)
        headers = _without_length(start)
        if start["status"] == 200:
            answer = json.loads(body)
            if fault.kind == "total":
                answer = with_totals(answer, fault.value, missing=fault.missing)
                headers = headers_with_totals(headers, fault.value, missing=fault.missing)
            elif fault.kind == "empty":
                answer = with_totals(with_rows(answer, []), 0, missing=False)
                headers = headers_with_totals(headers, 0, missing=False)
            elif fault.kind == "map":
                rows = map_of_rows(rows_of(answer), fault.key, keeps_key=fault.keeps_key)
                answer = with_rows(answer, rows)
            else:
                following = await self._next_page(fault, scope, receive, len(rows_of(answer)))
                answer = {**answer, "next": following}
            body = json.dumps(answer).encode()
        headers.append((b"content-length", str(len(body)).encode()))
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _next_page(self, fault: Fault, scope: Scope, receive: Receive, rows: int) -> Any:
        """The address of the page after one with `rows` rows; the fault's value if it is empty."""
        query = scope["query_string"].decode("latin-1")
        following = following_query(query, rows)
        # the credential in a query is no part of the address that is given, but of the request
        credential = {name: text for name, text in parse_qsl(query) if name == "api_key"}
        whole = "&".join(filter(None, (following, urlencode(credential))))
        _, body = await self._collected(_with_query(scope, whole), receive)
        if not rows_of(json.loads(body)):
            return fault.value
        return next_link(_address(scope), following, fault.scheme)

    async def _altered(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the right answer in another form, or, with `truncate`, part of it."""
        start, body = await self._collected(scope, receive)
        headers = _without_length(start)
        if fault.kind == "truncate" and start["status"] == 200:
            answer = json.loads(body)
            body = json.dumps(with_rows(answer, rows_of(answer)[: fault.rows or 0])).encode()
        if fault.kind == "encode":
            text = json.dumps(json.loads(body), ensure_ascii=False)
            body = text.encode(fault.encoding or "utf-8", errors="replace")
            headers = [pair for pair in headers if pair[0].lower() != b"content-type"]
            content_type = fault.content_type or "application/json"
            headers.append((b"content-type", content_type.encode()))
        if fault.kind == "compress":
            body = gzip.compress(body)
            headers.append((b"content-encoding", b"gzip"))
        if fault.kind == "chunk":
            await send({**start, "headers": headers})
            for begin in range(0, len(body), _CHUNK):
                piece = body[begin : begin + _CHUNK]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        headers.append((b"content-length", str(len(body)).encode()))
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _collected(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """The beginning of the application's answer, and its body."""
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        # routes note in the scope how far they have followed its path
        await self._app(dict(scope), receive, collect)
        return start, bytes(body)


def _without_length(start: Message) -> list[tuple[bytes, bytes]]:
    return [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]


def _with_query(scope: Scope, query: str) -> Scope:
    return {**scope, "query_string": query.encode("latin-1")}


def _address(scope: Scope) -> str:
    """The address that was requested, without its query."""
    return str(Request(scope).url.replace(query=""))


def _first_page(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, _FIRST_PAGE.get(name, value)) for name, value in pairs])


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
