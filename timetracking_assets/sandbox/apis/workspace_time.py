"""`workspace_time`: organizations and workspaces by path, whole lists, basic auth with a token."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from timetracking_assets.sandbox.apis.answers import json_answer, not_found
from timetracking_assets.sandbox.apis.auth import Basic, Handler, protected
from timetracking_assets.sandbox.apis.parameters import date_or_instant
from timetracking_assets.sandbox.apis.selection import in_window, numbered_page, with_field
from timetracking_assets.sandbox.credentials import BASIC_TOKEN_PASSWORD, CREDENTIALS
from timetracking_assets.sandbox.dataset import Row
from timetracking_assets.sandbox.state import State

_API: Final = "workspace_time"
_TASK_PAGE_SIZE: Final = 50


def routes(state: State) -> list[BaseRoute]:
    """The API's routes, below its prefix."""
    credential = Basic(CREDENTIALS["WORKSPACE_TIME_API_TOKEN"], BASIC_TOKEN_PASSWORD)
    views = _Views(state)
    organization, workspace = (
        "/v1/organizations/{organization_id}",
        "/v1/workspaces/{workspace_id}",
    )
    handlers: dict[str, Handler] = {
        "/v1/me/time_entries": views.time_entries,
        organization: views.organization,
        f"{organization}/users": lambda request: views.of_organization(request, "users"),
        f"{organization}/groups": lambda request: views.of_organization(request, "groups"),
        f"{workspace}/statistics": views.statistics,
        f"{workspace}/clients": lambda request: _data(views.of_workspace(request, "clients")),
        f"{workspace}/projects": lambda request: _data(views.of_workspace(request, "projects")),
        f"{workspace}/tasks": views.tasks,
    }
    return [protected(path, handler, credential) for path, handler in handlers.items()]


class _Views:
    def __init__(self, state: State) -> None:
        self._state = state

    def time_entries(self, request: Request) -> Response:
        since = date_or_instant(request, "start_date")
        until = date_or_instant(request, "end_date")
        rows = self._state.rows(_API, "time_entries")
        return _data(in_window(rows, lambda row: row.get("start"), since, until))

    def organization(self, request: Request) -> Response:
        return _data(self._parent(request, "organization", "organizations", "id"))

    def of_organization(self, request: Request, resource: str) -> Response:
        parent = self._parent(request, "organization", "organizations", "id")
        rows = self._state.rows(_API, f"organizations_{resource}")
        return _data(with_field(rows, "organization_id", parent["id"]))

    def statistics(self, request: Request) -> Response:
        row = self._parent(request, "workspace", "workspace", "workspace_id")
        return _data({name: value for name, value in row.items() if name != "workspace_id"})

    def tasks(self, request: Request) -> Response:
        rows = self.of_workspace(request, "tasks")
        page = numbered_page(
            request, rows, size_name="per_page", default=_TASK_PAGE_SIZE, most=_TASK_PAGE_SIZE
        )
        return _data(page.rows)

    def of_workspace(self, request: Request, resource: str) -> list[Row]:
        parent = self._parent(request, "workspace", "workspace", "workspace_id")
        rows = self._state.rows(_API, f"workspace_{resource}")
        return with_field(rows, "workspace_id", parent["workspace_id"])

    def _parent(self, request: Request, kind: str, resource: str, key: str) -> Row:
        requested = request.path_params[f"{kind}_id"]
        for row in self._state.rows(_API, resource):
            if str(row.get(key)) == requested:
                return row
        raise not_found(f"there is no {kind} '{requested}'")


def _data(content: object) -> Response:
    return json_answer({"data": content})
