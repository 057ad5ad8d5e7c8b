"""`resource_management`: sixteen lists in numbered pages, totals in headers, bearer token."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from timetracking_assets.sandbox.apis.answers import json_answer
from timetracking_assets.sandbox.apis.auth import Bearer, Handler, protected
from timetracking_assets.sandbox.apis.parameters import utc_instant
from timetracking_assets.sandbox.apis.selection import in_window, numbered_page
from timetracking_assets.sandbox.credentials import CREDENTIALS
from timetracking_assets.sandbox.state import State

_API: Final = "resource_management"
_DEFAULT_PAGE_SIZE: Final = 50
_GREATEST_PAGE_SIZE: Final = 200

_PATHS: Final = {
    "accounts": "/accounts",
    "departments": "/departments",
    "people": "/people",
    "roles": "/roles",
    "public_holidays": "/public-holidays",
    "holidays": "/holidays",
    "projects": "/projects",
    "status": "/status",
    "time_off": "/timeoffs",
    "timeoff_types": "/timeoff-types",
    "clients": "/clients",
    "phases": "/phases",
    "project_tasks": "/project-tasks",
    "milestones": "/milestones",
    "tasks": "/tasks",
    "logged_time": "/logged-time",
}


def routes(state: State) -> list[BaseRoute]:
    """The API's routes, below its prefix."""
    credential = Bearer(CREDENTIALS["RESOURCE_MANAGEMENT_API_TOKEN"])

    def listing(resource: str) -> Handler:
        return lambda request: _list(request, resource, state)

    return [protected(path, listing(resource), credential) for resource, path in _PATHS.items()]


def _list(request: Request, resource: str, state: State) -> Response:
    rows = state.rows(_API, resource)
    if resource == "logged_time":
        since = utc_instant(request, "modified_since")
        rows = in_window(rows, lambda row: row.get("modified"), since, None)
    page = numbered_page(
        request, rows, size_name="per-page", default=_DEFAULT_PAGE_SIZE, most=_GREATEST_PAGE_SIZE
    )
    headers = {
        "X-Pagination-Total-Count": str(page.total),
        "X-Pagination-Page-Count": str(page.count),
        "X-Pagination-Current-Page": str(page.number),
    }
    return json_answer({"data": page.rows}, headers=headers)
