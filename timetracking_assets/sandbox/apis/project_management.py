"""`project_management`: numbered pages with a paging block, absences by year, basic auth."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from timetracking_assets.sandbox.apis.answers import json_answer
from timetracking_assets.sandbox.apis.auth import Basic, Handler, protected
from timetracking_assets.sandbox.apis.parameters import required_year, utc_instant
from timetracking_assets.sandbox.apis.selection import in_window, numbered_page
from timetracking_assets.sandbox.credentials import CREDENTIALS
from timetracking_assets.sandbox.dataset import Row
from timetracking_assets.sandbox.state import State

_API: Final = "project_management"
_PAGE_SIZE: Final = 1_000


def routes(state: State) -> list[BaseRoute]:
    """The API's routes, below its prefix."""

    def whole_list(resource: str) -> Handler:
        return lambda request: _paged(request, resource, state.rows(_API, resource))

    def entries(request: Request) -> Response:
        since = utc_instant(request, "time_last_change_since")
        until = utc_instant(request, "time_last_change_until")
        rows = state.rows(_API, "entries")
        changed = in_window(rows, lambda row: row.get("time_last_change"), since, until)
        return _paged(request, "entries", changed)

    def absences(request: Request) -> Response:
        year = required_year(request, "year")
        rows = [row for row in state.rows(_API, "absences") if _overlaps(row, year)]
        return json_answer({"absences": rows})

    credential = Basic(
        CREDENTIALS["PROJECT_MANAGEMENT_EMAIL_ADDRESS"], CREDENTIALS["PROJECT_MANAGEMENT_API_KEY"]
    )
    handlers = {
        "/v2/projects": whole_list("projects"),
        "/v2/customers": whole_list("customers"),
        "/v2/entries": entries,
        "/v2/absences": absences,
    }
    return [protected(path, handler, credential) for path, handler in handlers.items()]


def _paged(request: Request, resource: str, rows: Sequence[Row]) -> Response:
    page = numbered_page(
        request, rows, size_name="items_per_page", default=_PAGE_SIZE, most=_PAGE_SIZE
    )
    paging = {
        "items_per_page": page.size,
        "current_page": page.number,
        "count_pages": page.count,
        "count_items": page.total,
    }
    return json_answer({"paging": paging, resource: page.rows})


def _overlaps(absence: Row, year: int) -> bool:
    # Dates of one form order as text does.
    since, until = str(absence.get("date_since")), str(absence.get("date_until"))
    return since <= f"{year}-12-31" and until >= f"{year}-01-01"
