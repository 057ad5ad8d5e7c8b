"""`time_tracking`: one list by offset and limit, api key in the query, no total."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from timetracking_assets.sandbox.apis.answers import json_answer
from timetracking_assets.sandbox.apis.auth import QueryKey, protected
from timetracking_assets.sandbox.apis.parameters import whole_number
from timetracking_assets.sandbox.credentials import CREDENTIALS
from timetracking_assets.sandbox.state import State

_LIMIT: Final = 100


def routes(state: State) -> list[BaseRoute]:
    """The API's routes, below its prefix."""

    def records(request: Request) -> Response:
        offset = whole_number(request, "offset", default=0, least=0)
        limit = whole_number(request, "limit", default=_LIMIT, least=1, most=_LIMIT)
        rows = state.rows("time_tracking", "time_tracking_data")
        return json_answer({"data": rows[offset : offset + limit]})

    key = QueryKey("api_key", CREDENTIALS["TIME_TRACKING_API_KEY"])
    return [protected("/v1/resource", records, key)]
