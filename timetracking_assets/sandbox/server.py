"""The application: the five APIs below their prefixes, the index, and the controls.

Order, from the outside: request log, latency and faults, routes. Running it belongs to `run`.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from timetracking_assets.sandbox.apis import (
    project_management,
    resource_management,
    time_analytics,
    time_tracking,
    workspace_time,
)
from timetracking_assets.sandbox.apis.answers import http_error, json_answer
from timetracking_assets.sandbox.catalog import PREFIXES
from timetracking_assets.sandbox.control import Controls
from timetracking_assets.sandbox.dataset import DEFAULT_SEED
from timetracking_assets.sandbox.fault_player import FaultPlayer, Latency
from timetracking_assets.sandbox.faults import Faults
from timetracking_assets.sandbox.request_log import RequestLog, RequestLogger
from timetracking_assets.sandbox.state import State


def create_app(
    *, seed: int = DEFAULT_SEED, today: date | None = None, odd_rows: bool = False
) -> Starlette:
    """The sandbox as an ASGI application.

    Its data ends with the day before `today`, which is the current day (UTC) unless given.
    `odd_rows`: with rows that tidy data lacks, see `dataset/odd_rows.py`.
    """
    state = State(seed, today or datetime.now(UTC).date(), odd_rows)
    controls = Controls(state, Faults(), Latency(), RequestLog())
    apis: dict[str, list[BaseRoute]] = {
        "time_tracking": time_tracking.routes(state),
        "project_management": project_management.routes(state),
        "workspace_time": workspace_time.routes(state),
        "resource_management": resource_management.routes(state),
        "time_analytics": time_analytics.routes(state),
    }
    app = Starlette(
        routes=[
            Route("/", _index),
            Route("/health", _health),
            _below("/control", controls.routes()),
            *(_below(PREFIXES[api], routes) for api, routes in apis.items()),
        ],
        middleware=[
            Middleware(RequestLogger, log=controls.log),
            Middleware(FaultPlayer, faults=controls.faults, latency=controls.latency, state=state),
        ],
        exception_handlers={HTTPException: http_error},
    )
    app.router.redirect_slashes = False
    return app


def _below(prefix: str, routes: Sequence[BaseRoute]) -> Mount:
    # A path with a slash too many is an unknown path, not a redirect.
    return Mount(prefix, app=Router(routes, redirect_slashes=False))


async def _index(request: Request) -> Response:
    root = str(request.base_url).rstrip("/")
    return json_answer(
        {
            "what": "A local sandbox of five time-tracking APIs with invented data.",
            "base_urls": {api: f"{root}{prefix}" for api, prefix in PREFIXES.items()},
        }
    )


async def _health(request: Request) -> Response:
    return json_answer({"status": "ok"})
