"""A client of the control endpoints, for tests and demonstrations.

What the endpoints do is in `control`; this only calls them.
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_TIMEOUT: Final = 30.0


class ControlError(RuntimeError):
    """The server refused a call; the message says why."""


class RemoteControl:
    """Changes the data and the behaviour of the sandbox at `url` (its address with no path)."""

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/control"
        # A proxy of the environment must not get between two programs on one machine.
        self._opener = build_opener(ProxyHandler({}))

    def reset(self) -> None:
        """Restore the data, clear faults and latency; the request log stays."""
        self._call("POST", "/reset")

    def set_today(self, today: date) -> None:
        """Move to another day: the data ends with the day before it, and edits are undone."""
        self._call("PUT", "/today", {"today": today.isoformat()})

    def rows(self, api: str, resource: str) -> list[dict[str, Any]]:
        """The rows held: what a correct copy of the API must hold."""
        rows: list[dict[str, Any]] = self._call("GET", f"/{api}/{resource}/rows")
        return rows

    def edit(
        self,
        api: str,
        resource: str,
        *,
        upsert: Sequence[dict[str, Any]] = (),
        delete: Sequence[int | str] = (),
    ) -> dict[str, int]:
        """Delete rows by key, merge fields into rows by key, append unknown rows.

        Returns how many were `inserted`, `updated` and `deleted`.
        """
        edit = {"upsert": list(upsert), "delete": list(delete)}
        changes: dict[str, int] = self._call("POST", f"/{api}/{resource}/rows", edit)
        return changes

    def replace(self, api: str, resource: str, rows: Sequence[dict[str, Any]]) -> None:
        """Hold exactly these rows, duplicates included."""
        self._call("PUT", f"/{api}/{resource}/rows", list(rows))

    def place_fault(self, kind: str, **fields: Any) -> None:
        """Put a fault in force; the fields are those of `faults.Fault`."""
        self._call("POST", "/faults", {"kind": kind, **fields})

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force, with how many requests they `seen` and `applied` to."""
        faults: list[dict[str, Any]] = self._call("GET", "/faults")
        return faults

    def clear_faults(self) -> None:
        """Put no fault in force."""
        self._call("DELETE", "/faults")

    def set_latency(self, seconds: float) -> None:
        """Let every request to an API wait that long."""
        self._call("POST", "/latency", {"seconds": seconds})

    def requests(self) -> list[dict[str, Any]]:
        """The requests to the APIs, oldest first."""
        requests: list[dict[str, Any]] = self._call("GET", "/requests")
        return requests

    def clear_requests(self) -> None:
        """Begin a new request log."""
        self._call("DELETE", "/requests")

    def most_in_flight(self, api: str) -> int:
        """The most requests that ran at a time since the log was cleared."""
        most: int = self._call("GET", "/in_flight")[api]["most"]
        return most

    def _call(self, method: str, path: str, content: object = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        request = Request(f"{self._url}{path}", data=data, method=method)
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                message = _message(error.read())
            raise ControlError(f"{method} {path}: {error.code}: {message}") from None


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")
