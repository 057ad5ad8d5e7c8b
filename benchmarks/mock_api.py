"""A fast mock API in a process of its own: it sends bodies that are ready in memory.

It does nothing that a test of correctness would need (`timetracking_assets.sandbox` is for that),
so that what is measured is the client.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from benchmarks.data import FIRST_DAY, Pages

_HEAD = b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class _Connection(asyncio.Protocol):
    """One client's connection; requests have no bodies and are answered in order."""

    def __init__(self, api: MockApi) -> None:
        self._api = api
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode()
            loop = asyncio.get_running_loop()
            loop.call_later(self._api.latency, self._answer, target)

    def _answer(self, target: str) -> None:
        body = self._api.body(target)
        self._transport.write(_HEAD % (200, len(body)))
        self._transport.write(body)


class MockApi:
    """`/entries` is the list of `whole`, or, for one day (`?from=`, `?to=`), its list in `parts`;
    a day after the year has the last of `parts`. `/users` holds ids, `/users/<id>/entries` is a
    list of `parts` each. `latency` is the seconds before each answer.
    """

    def __init__(self, whole: Pages, parts: Pages | None, latency: float) -> None:
        self.latency = latency
        self._whole, self._parts = _Bodies(whole), _Bodies(parts or whole)
        users = [{"id": number} for number in range(1, len(self._parts.pages.lists) + 1)]
        self._users = json.dumps({"data": users}).encode()

    def body(self, target: str) -> memoryview | bytes:
        """The answer to a GET of `target`."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        page = int(query.get("page", 1))
        if parts.path == "/users":
            return self._users
        if parts.path.startswith("/users/"):
            return self._parts.body(int(parts.path.split("/")[2]) - 1, page)
        if "from" in query:
            days = [date.fromisoformat(query[end]) for end in ("from", "to")]
            if days[1] - days[0] == timedelta(days=1):
                last = len(self._parts.pages.lists) - 1
                day = (days[0] - date.fromisoformat(FIRST_DAY)).days
                return self._parts.body(min(day, last), page)
        return self._whole.body(0, page)


class _Bodies:
    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        with pages.path.open("rb") as file:
            self._bytes = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def body(self, number: int, page: int) -> memoryview | bytes:
        first, count = self.pages.lists[number]
        if page > count:
            return json.dumps({"paging": {"page": page, "count_pages": count}, "data": []}).encode()
        at = first + page - 1
        return self._bytes[self.pages.offsets[at] : self.pages.offsets[at + 1]]


async def _serve(api: MockApi) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(api), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # ends with the process that started it
    server.close()


@contextmanager
def mock_api(whole: Pages, parts: Pages | None = None, latency: float = 0.0) -> Iterator[str]:
    """The base URL of a mock API that runs in another process, and ends with this one."""
    described = {"whole": _described(whole), "parts": parts and _described(parts)}
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mock_api"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({**described, "latency": latency}) + "\n")
        process.stdin.flush()
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def _described(pages: Pages) -> dict[str, Any]:
    return {**asdict(pages), "path": str(pages.path)}


def _pages(described: dict[str, Any]) -> Pages:
    return Pages(Path(described["path"]), described["offsets"], described["lists"])


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    served = _pages(given["parts"]) if given["parts"] else None
    asyncio.run(_serve(MockApi(_pages(given["whole"]), served, given["latency"])))
