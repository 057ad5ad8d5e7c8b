"""The pages of a resource: one after the other, or several lists, or parts of one, at a time.

Each lane is a dlt resource with a session of its own, so that dlt's `rest_api` paginates and fans
out in each as it does in one. The pages are opaque here (see `pages.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from threading import Lock
from typing import Any

import dlt
import requests
from dlt.extract import DltResource

from timetracking_assets.ingest.api import WINDOWS, Parent, Resource
from timetracking_assets.ingest.lanes import side_by_side
from timetracking_assets.ingest.page_ranges import PageRanges
from timetracking_assets.ingest.pages import Page, page_splitter
from timetracking_assets.ingest.redaction import Redactor
from timetracking_assets.ingest.session import RequestStats, open_session
from timetracking_assets.ingest.source import Connection, ParentRows, endpoint_resource, rest_api
from timetracking_assets.ingest.variables import variable_names
from timetracking_assets.ingest.windows import Window, request_params

_AHEAD = 4
"""Pages of a lane that may wait to be used."""

Split = Callable[[requests.Response, Redactor], None]


@contextmanager
def open_pages(
    connection: Connection,
    resource: Resource,
    stats: RequestStats,
    *,
    window: Window | None = None,
    parent_rows: ParentRows | None = None,
) -> Iterator[Iterator[Page]]:
    """The pages of `resource`, for `window` and each of its `parent_rows`, in any order.

    As many requests run at a time as the API's `concurrency` says, where there are several parents
    or windows, or the answer tells how many pages there are. `stats` are complete at the end.
    """
    with ExitStack() as stack:
        lanes = _Lanes(connection, resource, stats, stack)
        yield stack.enter_context(closing(lanes.pages(window, parent_rows)))


class _Lanes:
    """Opens lanes of one resource; their sessions are closed, and counted, when `stack` is."""

    def __init__(
        self, connection: Connection, resource: Resource, stats: RequestStats, stack: ExitStack
    ) -> None:
        self._connection, self._resource = connection, resource
        self._stats, self._stack = stats, stack

    def pages(
        self, window: Window | None, parent_rows: ParentRows | None
    ) -> Generator[Page, None, None]:
        resource = self._resource
        series = request_params(resource.window, window) if resource.window and window else [{}]
        parent = resource.parent
        if parent is None and len(series) > 1:
            parent, parent_rows = Parent(WINDOWS, ()), [{}]
        if parent is None:
            return self._list(series[0])
        # dlt takes one parent for each child: the windows travel on the parent's rows
        names = {param: f"window_{index}" for index, param in enumerate(series[0])}
        params = {param: f"{{resources.{parent.name}.{name}}}" for param, name in names.items()}
        rows = [
            {**row, **{names[param]: value for param, value in asked.items()}}
            for asked in series
            for row in parent_rows or []
        ]
        concurrency = self._connection.api.concurrency
        lanes = []
        for lane in range(min(concurrency, len(rows))):
            of_lane = dlt.resource([rows[lane::concurrency]], name=parent.name, selected=False)
            lanes.append(self._lane(page_splitter(resource), params, parent=of_lane))
        return side_by_side(lanes, _AHEAD * len(lanes))

    def _list(self, params: Mapping[str, Any]) -> Generator[Page, None, None]:
        split = _Split(page_splitter(self._resource))
        concurrency = self._connection.api.concurrency
        ranges = PageRanges.of(endpoint_resource(self._resource)["endpoint"]["paginator"])
        if ranges is None or concurrency == 1:
            yield from side_by_side([self._lane(split, params)], _AHEAD)
            return
        first = list(self._lane(split, params, paginator=ranges.first_page))
        yield from first
        if first:
            others = ranges.others(split.latest, concurrency)
            lanes = [self._lane(split, params, paginator=paginator) for paginator in others]
            yield from side_by_side(lanes, _AHEAD * concurrency)

    def _lane(
        self,
        split: Split,
        params: Mapping[str, Any],
        *,
        paginator: Mapping[str, Any] | None = None,
        parent: DltResource | None = None,
    ) -> Iterator[Page]:
        config = endpoint_resource(self._resource)
        config["endpoint"]["params"] |= params
        if paginator is not None:
            config["endpoint"]["paginator"] = paginator
        client = {**self._connection.client, "session": self._session(split)}
        resources = [config] if parent is None else [config, parent]
        return iter(rest_api(client, resources)[self._resource.name])

    def _session(self, split: Split) -> requests.Session:
        connection, stats = self._connection, RequestStats()
        session = open_session(
            self._resource,
            connection.client["base_url"],
            connection.api.retry,
            connection.redactor,
            stats,
            split,
            setting=", ".join(variable_names(connection.api.client["base_url"])),
        )
        self._stack.callback(self._count, stats)
        self._stack.callback(session.close)
        return session

    def _count(self, stats: RequestStats) -> None:
        for name, value in vars(stats).items():
            setattr(self._stats, name, getattr(self._stats, name) + value)


class _Split:
    """One splitter for all lanes of a list, so that it sees a page that comes again; it keeps the
    latest answer's envelope."""

    def __init__(self, split: Split) -> None:
        self._split, self._lock = split, Lock()
        self.latest: Any = None

    def __call__(self, response: requests.Response, redactor: Redactor) -> None:
        with self._lock:
            self._split(response, redactor)
            if response.ok:
                self.latest = response.json()
