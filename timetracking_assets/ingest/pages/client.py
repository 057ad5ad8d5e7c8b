"""dlt's REST client, with pages in the place of rows.

Authentication, pagination and requests are dlt's. What a page is belongs to `page.py`, how requests
are made and repeated to `ingest/http`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests
from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from dlt.sources.rest_api.config_setup import create_response_hooks

from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.binding import ListRequest
from timetracking_assets.ingest.pages.page import Page, PageReader
from timetracking_assets.ingest.pages.pagination import WatchedPaginator
from timetracking_assets.spec.api import Resource


class PageClient(RESTClient):
    """A client of one lane: what it extracts from a response is the page that `reader` has read.

    `stats` count the pages that come after the end of their list.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        auth: Any,
        session: requests.Session,
        reader: PageReader,
        stats: RequestStats,
    ) -> None:
        super().__init__(
            client["base_url"],
            headers=client.get("headers"),
            auth=auth,
            session=session,
            # for messages that ours replace: nothing to look up
            config=RuntimeConfiguration(),
        )
        self._reader, self._stats = reader, stats

    def extract_response(self, response: requests.Response, data_selector: Any) -> list[Any]:
        """The page of `response`, also of an empty one: a list of one item for the paginator."""
        return [self._reader.page_of(response)]

    def pages(
        self, resource: Resource, request: ListRequest, paginator: WatchedPaginator
    ) -> Iterator[Page]:
        """The pages of one list that hold rows."""
        for data in self.paginate(
            request.path,
            method=request.method,
            params=request.params,
            json=request.json,
            headers=request.headers,
            data=request.data,
            paginator=paginator,
            data_selector=resource.data_selector,
            hooks=_response_hooks(resource, paginator, self._stats),
        ):
            for page in data:
                if page.rows:
                    yield page
                elif paginator.progress.pages > 1:
                    self._stats.requests_in_vain += 1


def _response_hooks(
    resource: Resource, paginator: WatchedPaginator, stats: RequestStats
) -> dict[str, Any]:
    """What is done with each response: the list's end, the file's `response_actions`, errors."""

    def end(response: requests.Response, *_: Any, **__: Any) -> None:
        if paginator.ends_with(response.status_code):
            stats.requests_in_vain += 1
            raise IgnoreResponseException

    actions: Sequence[Any] = resource.endpoint.get("response_actions") or []
    empty = [code for code in resource.success_codes if code >= requests.codes.bad_request]
    ignored: list[Any] = [{"status_code": code, "action": "ignore"} for code in empty]
    hooks = create_response_hooks([end, *actions, *ignored])
    assert hooks is not None
    return hooks
