"""`time_analytics`: lists per workspace, user and project, key in a header, no total."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from timetracking_assets.sandbox.apis.answers import json_answer, not_found
from timetracking_assets.sandbox.apis.auth import Handler, HeaderKey, protected
from timetracking_assets.sandbox.apis.parameters import utc_instant
from timetracking_assets.sandbox.apis.selection import in_window, numbered_page, with_field
from timetracking_assets.sandbox.credentials import CREDENTIALS
from timetracking_assets.sandbox.dataset import Row
from timetracking_assets.sandbox.identifiers import ANALYTICS_WORKSPACE_IDS
from timetracking_assets.sandbox.state import State

_API: Final = "time_analytics"
_PAGE_SIZE: Final = 50
_WORKSPACE: Final = "/v1/workspaces/{workspace_id}"
_LISTS: Final = {
    "users": "/users",
    "projects": "/projects",
    "clients": "/clients",
    "tags": "/tags",
    "user_groups": "/user-groups",
}


def routes(state: State) -> list[BaseRoute]:
    """The API's routes, below its prefix."""

    def listing(resource: str) -> Handler:
        return lambda request: _page(request, _of_workspace(request, state, resource))

    def time_entries(request: Request) -> Response:
        user = _member(request, state, "users", "user")
        rows = with_field(state.rows(_API, "time_entries"), "userId", user)
        since, until = utc_instant(request, "start"), utc_instant(request, "end")
        return _page(request, in_window(rows, _start, since, until))

    def tasks(request: Request) -> Response:
        project = _member(request, state, "projects", "project")
        return _page(request, with_field(state.rows(_API, "tasks"), "projectId", project))

    handlers: dict[str, Handler] = {
        **{path: listing(resource) for resource, path in _LISTS.items()},
        "/user/{user_id}/time-entries": time_entries,
        "/projects/{project_id}/tasks": tasks,
    }
    key = HeaderKey("X-Api-Key", CREDENTIALS["TIME_ANALYTICS_API_KEY"])
    return [protected(_WORKSPACE + path, handler, key) for path, handler in handlers.items()]


def _start(entry: Row) -> Any:
    interval = entry.get("timeInterval")
    return interval.get("start") if isinstance(interval, dict) else None


def _of_workspace(request: Request, state: State, resource: str) -> list[Row]:
    workspace = request.path_params["workspace_id"]
    if workspace not in ANALYTICS_WORKSPACE_IDS:
        raise not_found(f"there is no workspace '{workspace}'")
    return with_field(state.rows(_API, resource), "workspaceId", workspace)


def _member(request: Request, state: State, resource: str, kind: str) -> str:
    """The identifier in the path of a user or project, which must be in the path's workspace."""
    requested: str = request.path_params[f"{kind}_id"]
    if not with_field(_of_workspace(request, state, resource), "id", requested):
        raise not_found(f"there is no {kind} '{requested}' in this workspace")
    return requested


def _page(request: Request, rows: Sequence[Row]) -> Response:
    page = numbered_page(request, rows, size_name="page-size", default=_PAGE_SIZE, most=_PAGE_SIZE)
    return json_answer({"data": page.rows})
