"""Control endpoints, below `/control`: change the data and the behaviour of a running server.

They ask for no credential; they answer only to clients on the same machine.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timetracking_assets.sandbox.apis.answers import bad_request, json_answer, not_found
from timetracking_assets.sandbox.catalog import UnknownResourceError
from timetracking_assets.sandbox.dataset import Row
from timetracking_assets.sandbox.fault_player import Latency
from timetracking_assets.sandbox.faults import Fault, Faults
from timetracking_assets.sandbox.request_log import RequestLog
from timetracking_assets.sandbox.state import MissingKeyError, State

_T = TypeVar("_T")
_Endpoint = Callable[[Request], Awaitable[Response]]


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows to insert or merge, and keys of rows to delete."""

    upsert: list[dict[str, Any]] = []
    delete: list[int | str] = []


class Delay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A constant latency for all APIs."""

    seconds: float

    def __post_init__(self) -> None:
        if self.seconds < 0:
            raise ValueError("'seconds' must not be negative")


class Day(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The day on which the APIs answer."""

    today: date


@dataclass(frozen=True, slots=True)
class Controls:
    """What the control endpoints control."""

    state: State
    faults: Faults
    latency: Latency
    log: RequestLog

    def routes(self) -> list[Route]:
        """The routes below `/control`."""
        rows = "/{api}/{resource}/rows"
        return [
            _route("/reset", self.reset, "POST"),
            _route("/today", self.set_today, "PUT"),
            _route("/faults", self.list_faults, "GET"),
            _route("/faults", self.place_fault, "POST"),
            _route("/faults", self.clear_faults, "DELETE"),
            _route("/latency", self.set_latency, "POST"),
            _route("/requests", self.list_requests, "GET"),
            _route("/requests", self.clear_requests, "DELETE"),
            _route("/in_flight", self.in_flight, "GET"),
            _route(rows, self.get_rows, "GET"),
            _route(rows, self.edit_rows, "POST"),
            _route(rows, self.replace_rows, "PUT"),
        ]

    async def reset(self, request: Request) -> Response:
        """Restore the data, clear faults and latency; the request log stays."""
        self.state.reset()
        self.faults.clear()
        self.latency.seconds = 0.0
        return json_answer({"reset": True})

    async def set_today(self, request: Request) -> Response:
        """Move to another day: the data ends with the day before it, and edits are undone."""
        day = await _body(request, Day)
        self.state.move_to(day.today)
        return json_answer({"today": day.today.isoformat()})

    async def list_faults(self, request: Request) -> Response:
        """The faults in force, with how many requests they saw and hit."""
        return json_answer(
            [
                {
                    **msgspec.to_builtins(placed.fault),
                    "seen": placed.seen,
                    "applied": placed.applied,
                }
                for placed in self.faults.placed
            ]
        )

    async def place_fault(self, request: Request) -> Response:
        """Put one fault in force."""
        self.faults.place(await _body(request, Fault))
        return json_answer({"faults": len(self.faults.placed)}, status=201)

    async def clear_faults(self, request: Request) -> Response:
        """Put no fault in force."""
        self.faults.clear()
        return json_answer({"faults": 0})

    async def set_latency(self, request: Request) -> Response:
        """Let every request to an API wait."""
        self.latency.seconds = (await _body(request, Delay)).seconds
        return json_answer({"seconds": self.latency.seconds})

    async def list_requests(self, request: Request) -> Response:
        """The request log."""
        return json_answer(self.log.as_json())

    async def clear_requests(self, request: Request) -> Response:
        """Begin a new request log."""
        self.log.clear()
        return json_answer({"requests": 0})

    async def in_flight(self, request: Request) -> Response:
        """How many requests run, and ran at most, at a time per API."""
        return json_answer(self.log.in_flight())

    async def get_rows(self, request: Request) -> Response:
        """The rows held, whatever an API would answer for them."""
        return json_answer(self.state.rows(*_resource(request)))

    async def edit_rows(self, request: Request) -> Response:
        """Insert, merge and delete rows by key."""
        edit = await _body(request, Edit)
        try:
            changes = self.state.edit(*_resource(request), edit.upsert, edit.delete)
        except MissingKeyError as error:
            raise bad_request(str(error)) from None
        return json_answer(asdict(changes))

    async def replace_rows(self, request: Request) -> Response:
        """Hold exactly the rows given."""
        rows: list[Row] = await _body(request, list[dict[str, Any]])
        return json_answer({"rows": self.state.replace(*_resource(request), rows)})


def _resource(request: Request) -> tuple[str, str]:
    return request.path_params["api"], request.path_params["resource"]


async def _body(request: Request, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.DecodeError as error:
        raise bad_request(f"the request's body cannot be read: {error}") from None


def _route(path: str, handler: _Endpoint, method: str) -> Route:
    async def endpoint(request: Request) -> Response:
        if request.client is None or not _is_loopback(request.client.host):
            raise HTTPException(403, "the control endpoints answer to the same machine only")
        try:
            return await handler(request)
        except UnknownResourceError as error:
            raise not_found(str(error)) from None

    return Route(path, endpoint, methods=[method])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
