"""The pages of a resource: one after the other, or several lists, or parts of one, at a time.

Each lane is a dlt resource with a session of its own, so that dlt's `rest_api` paginates and fans
out in each as it does in one. The pages are opaque here (see `page.py`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from threading import Lock
from typing import Any

import dlt
import requests
from dlt.extract import DltResource
from dlt.sources.rest_api.config_setup import create_auth

from timetracking_assets.ingest.connection import Connection, ParentRows
from timetracking_assets.ingest.http.session import Accept, open_session
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.http.tokens import SharedAuth, open_token_session
from timetracking_assets.ingest.pages.page import Page, page_splitter
from timetracking_assets.ingest.pages.pagination import (
    SeenPages,
    StatedTotals,
    WatchedPaginator,
    too_long,
)
from timetracking_assets.ingest.pages.parallel import PageRanges, side_by_side
from timetracking_assets.ingest.pages.rest_api import (
    HEADERS,
    PARENT_ROW,
    ask_for,
    endpoint_resource,
    rest_api,
)
from timetracking_assets.ingest.windows import Series, Window, request_series
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import WINDOWS, Parent, Resource
from timetracking_assets.spec.variables import variable_names

_AHEAD = 4
"""Pages of a lane that may wait to be used."""


@contextmanager
def open_pages(
    connection: Connection,
    resource: Resource,
    stats: RequestStats,
    *,
    window: Window | None = None,
    parent_rows: ParentRows | None = None,
    totals: StatedTotals | None = None,
) -> Iterator[Iterator[Page]]:
    """The pages of `resource`, for `window` and each of its `parent_rows`, in any order.

    As many requests run at a time as the API's `concurrency` says, where there are several parents
    or windows, or the answer tells how many pages there are. `totals` learns how many rows the API
    says there are. `stats` are complete at the end.
    """
    series = [Series(None, {})]
    if resource.window and window:
        series = request_series(resource.window, window)
    with ExitStack() as stack:
        lanes = _Lanes(connection, resource, stats, totals, stack)
        if resource.parent is None and len(series) == 1:
            pages = lanes.of_list(series[0])
        else:
            pages = lanes.of_parents(series, parent_rows or [])
        yield stack.enter_context(closing(pages))


class _Lanes:
    """Opens lanes of one resource; their sessions are closed, and counted, when `stack` is."""

    def __init__(
        self,
        connection: Connection,
        resource: Resource,
        stats: RequestStats,
        totals: StatedTotals | None,
        stack: ExitStack,
    ) -> None:
        self._connection, self._resource = connection, connection.bound(resource)
        self._stats, self._totals, self._stack = stats, totals, stack
        self._concurrency = connection.api.concurrency
        self._client = {**connection.client, "auth": self._auth()}
        self._paginator: Any = endpoint_resource(self._resource)["endpoint"]["paginator"]

    def of_parents(
        self, series: Sequence[Series], parent_rows: ParentRows
    ) -> Generator[Page, None, None]:
        """The lists of all parents, or of the windows alone where there is no parent."""
        parent = self._resource.parent
        if parent is None:
            parent, parent_rows = Parent(WINDOWS, ()), [{}]
        # dlt takes one parent for each child: the windows travel on the parent's rows
        names = {param: f"window_{index}" for index, param in enumerate(series[0].params)}
        params = {param: f"{{resources.{parent.name}.{name}}}" for param, name in names.items()}
        asked = [(one, row) for one in series for row in parent_rows]
        rows = [
            {**row, **{names[p]: value for p, value in one.params.items()}, PARENT_ROW: index}
            for index, (one, row) in enumerate(asked)
        ]
        lanes = []
        for lane in range(min(self._concurrency, len(rows))):
            of_lane = [rows[lane :: self._concurrency]]
            lanes.append(
                self._lane(
                    self._splitter(),
                    params,
                    self._watched(self._paginator, self._totals),
                    dlt.resource(of_lane, name=parent.name, selected=False),
                )
            )
        with closing(side_by_side(lanes, _AHEAD * self._concurrency)) as pages:
            for page in pages:
                window = asked[page.parent_row][0].window
                yield page.of(window, page.parent_row % len(parent_rows))

    def of_list(self, one: Series) -> Generator[Page, None, None]:
        """One list; what follows its first page in several parts, where their number is known."""
        split = _Split(self._splitter())
        ranges = None
        # where a page may be the last one again, only the page before it tells
        if self._concurrency > 1 and self._resource.repeated_page == "refuse":
            ranges = PageRanges.of(self._paginator)
        lanes = []
        if ranges is not None:
            seen = SeenPages()
            watched = self._watched(ranges.first_page, None, seen)
            first = list(self._lane(split, one.params, watched))
            if first and ranges.count(split.latest) > self._resource.max_pages:
                where = f"{self._resource.label}: page 1 ({first[0].url})"
                raise too_long(where, self._resource.max_pages)
            yield from (page.of(one.window) for page in first)
            others = ranges.others(split.latest, self._concurrency) if first else []
            if not others and self._totals:
                self._totals.note(split.latest, split.latest[HEADERS], self._resource.label)
            for paginator in others:
                # the last part ends where the list does, and tells its total
                totals = self._totals if paginator is others[-1] else None
                watched = self._watched(paginator, totals, seen)
                lanes.append(self._lane(split, one.params, watched))
        else:
            watched = self._watched(self._paginator, self._totals)
            lanes.append(self._lane(split, one.params, watched))
        with closing(side_by_side(lanes, _AHEAD * self._concurrency)) as pages:
            for page in pages:
                yield page.of(one.window)

    def _lane(
        self,
        split: Accept,
        params: Mapping[str, Any],
        paginator: WatchedPaginator,
        parent: DltResource | None = None,
    ) -> Iterator[Page]:
        config = endpoint_resource(self._resource)
        ask_for(self._resource.window, config["endpoint"], params)
        config["endpoint"]["paginator"] = paginator
        resources: list[Any] = [config]
        if parent is not None:
            config["include_from_parent"] = [*config.get("include_from_parent", []), PARENT_ROW]
            resources.append(parent)
        client = {**self._client, "session": self._session(split)}
        return iter(rest_api(client, resources)[self._resource.name])

    def _watched(
        self, paginator: Any, totals: StatedTotals | None, seen: SeenPages | None = None
    ) -> WatchedPaginator:
        resource = self._resource
        return WatchedPaginator(
            paginator,
            resource.label,
            resource.max_pages,
            totals,
            seen,
            stops_at_repeated=resource.repeated_page == "stop",
        )

    def _splitter(self) -> Accept:
        return page_splitter(self._resource, self._counted())

    def _session(self, split: Accept) -> requests.Session:
        connection = self._connection
        session = open_session(
            connection.api,
            self._resource.label,
            connection.client["base_url"],
            connection.redactor,
            self._counted(),
            split,
            setting=", ".join(variable_names(connection.api.client["base_url"])),
        )
        self._stack.callback(session.close)
        return session

    def _auth(self) -> Any:
        connection, auth = self._connection, self._connection.client.get("auth")
        tokens = open_token_session(connection.api, auth, connection.redactor, self._counted())
        if tokens is None:
            return auth
        self._stack.callback(tokens.close)
        with_session: Any = {**(auth or {}), "session": tokens}
        return SharedAuth(create_auth(with_session))

    def _counted(self) -> RequestStats:
        """Counts of one thread, which are added to the load's at the end."""
        stats = RequestStats()
        self._stack.callback(self._stats.add, stats)
        return stats


class _Split:
    """One splitter for all lanes of a list, so that it numbers its pages; it keeps the envelope of
    the latest."""

    def __init__(self, split: Accept) -> None:
        self._split, self._lock = split, Lock()
        self.latest: Any = None

    def __call__(self, response: requests.Response, redactor: Redactor) -> None:
        with self._lock:
            self._split(response, redactor)
            if response.ok:
                self.latest = response.json()
