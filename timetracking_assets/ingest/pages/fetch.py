"""The lists of a resource, one for each part of its window and each of its parent's rows.

A list is read through dlt's client (`client.py`), several at a time or in parts, each lane with a
session of its own. What goes into a request is decided in `binding.py`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import count, product
from typing import Any, NamedTuple

from dlt.common.jsonpath import compile_path
from dlt.sources.rest_api.config_setup import create_auth

from timetracking_assets.ingest.connection import Connection, ParentRows
from timetracking_assets.ingest.http.session import open_session
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.http.tokens import SharedAuth, open_token_session
from timetracking_assets.ingest.pages.binding import list_request
from timetracking_assets.ingest.pages.client import PageClient
from timetracking_assets.ingest.pages.list_end import ListProgress, PageSizes
from timetracking_assets.ingest.pages.page import Page, PageReader
from timetracking_assets.ingest.pages.pagination import WatchedPaginator, too_long
from timetracking_assets.ingest.pages.parallel import PageRanges, shared, side_by_side
from timetracking_assets.ingest.pages.totals import StatedTotals
from timetracking_assets.ingest.windows import Series, Window, series_of
from timetracking_assets.spec.api import Resource
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
    or windows, or the answer states how many pages there are. `totals` learns how many rows the
    API states. `stats` are complete at the end.
    """
    series = [Series(None, {})]
    if resource.window and window:
        series = series_of(resource, window)
    rows: Sequence[Mapping[str, Any] | None] = [None]
    if resource.parent is not None:
        rows = parent_rows or []
    lists = [
        _List(one.window, one.params, number, row)
        for one, (number, row) in product(series, enumerate(rows))
    ]
    with ExitStack() as stack:
        reading = _Reading(connection, resource, stats, totals, stack)
        if resource.parent is None and len(lists) == 1:
            pages = reading.in_parts(lists[0])
        else:
            pages = reading.several(lists)
        yield stack.enter_context(closing(pages))


class _List(NamedTuple):
    """One list: its window and the parameters that request it, and the parent's row."""

    window: Window | None
    params: dict[str, Any]
    parent_number: int
    parent_row: Mapping[str, Any] | None


class _Reading:
    """Reads lists of one resource; its sessions are closed, and counted, when `stack` is."""

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
        self._deadline = stats.started + connection.api.load_timeout
        self._auth = self._open_auth()
        self._sizes = PageSizes()
        self._paginator = _compiled(self._resource.endpoint["paginator"])

    def several(self, lists: Sequence[_List]) -> Generator[Page, None, None]:
        """The pages of several lists, each lane taking the next list when it has read one."""
        remaining = shared(lists)

        def read(client: PageClient) -> Iterator[Page]:
            for one in remaining:
                yield from self._read(client, one)

        lanes = [read(self._client(count(1))) for _ in range(min(self._concurrency, len(lists)))]
        with closing(side_by_side(lanes, _AHEAD * self._concurrency)) as pages:
            yield from pages

    def in_parts(self, one: _List) -> Generator[Page, None, None]:
        """One list; what follows its first page in several parts, where their number is known."""
        numbers = count(1)
        client = self._client(numbers)
        ranges = None
        # where a page may be the last one again, only the page before it tells
        if self._concurrency > 1 and self._resource.repeated_page == "refuse":
            ranges = PageRanges.of(self._paginator)
        if ranges is None:
            yield from self._read(client, one)
            return
        progress = ListProgress()
        first = self._watched(ranges.first_page, progress)
        yield from self._read_with(client, one, first)
        last = first
        if first.goes_on and first.envelope is not None:
            total, following = first.stated, first.following
            if ranges.count(total, following) > self._resource.max_pages:
                raise too_long(first.where, self._resource.max_pages)
            others = ranges.others(total, following, self._concurrency)
            watched = [self._watched(paginator, progress) for paginator in others]
            # the last part ends where the list does
            last = watched[-1]
            lanes = [self._read_with(self._client(numbers), one, part) for part in watched]
            with closing(side_by_side(lanes, _AHEAD * self._concurrency)) as pages:
                yield from pages
        self._note(first, last)

    def _read(self, client: PageClient, one: _List) -> Iterator[Page]:
        watched = self._watched(self._paginator, ListProgress())
        yield from self._read_with(client, one, watched)
        self._note(watched, watched)

    def _watched(self, paginator: Any, progress: ListProgress) -> WatchedPaginator:
        return WatchedPaginator(paginator, self._resource, self._sizes, progress)

    def _note(self, first: WatchedPaginator, last: WatchedPaginator) -> None:
        """Compare the list with what its pages state, unless it had none."""
        read = first.read(last)
        if self._totals and read:
            self._totals.note(read)

    def _read_with(
        self, client: PageClient, one: _List, paginator: WatchedPaginator
    ) -> Iterator[Page]:
        resource = self._resource
        request = list_request(resource, one.params, one.parent_row)
        from_parent = {}
        if resource.parent is not None and one.parent_row is not None:
            from_parent = {
                f"_{resource.parent.name}_{name}": one.parent_row[name]
                for name in resource.include_from_parent
            }
        for page in client.pages(resource, request, paginator):
            page.window, page.parent_row = one.window, one.parent_number
            page.from_parent = from_parent
            yield page

    def _client(self, numbers: Iterator[int]) -> PageClient:
        connection, stats = self._connection, self._counted()
        reader = PageReader(self._resource, stats, numbers)
        session = open_session(
            connection.api,
            self._resource.label,
            connection.client["base_url"],
            connection.redactor,
            stats,
            reader.read,
            setting=", ".join(variable_names(connection.api.client["base_url"])),
            deadline=self._deadline,
        )
        self._stack.callback(session.close)
        return PageClient(connection.client, self._auth, session, reader, stats)

    def _open_auth(self) -> Any:
        """The authentication of all lanes; None where the API takes none."""
        connection = self._connection
        auth = self._resource.endpoint.get("auth", connection.client.get("auth"))
        tokens = open_token_session(
            connection.api, auth, connection.redactor, self._counted(), self._deadline
        )
        if tokens is None:
            return create_auth(auth)
        self._stack.callback(tokens.close)
        with_session: Any = {**(auth or {}), "session": tokens}
        return SharedAuth(create_auth(with_session))

    def _counted(self) -> RequestStats:
        """Counts of one thread, which are added to the load's at the end."""
        stats = RequestStats()
        self._stack.callback(self._stats.add, stats)
        return stats


def _compiled(paginator: Any) -> Any:
    """The configuration of a paginator with its JSON paths compiled once, not for each list."""
    if not isinstance(paginator, dict):
        return paginator
    return {
        key: compile_path(value)
        if key.endswith("_path") and not key.endswith("_body_path") and value
        else value
        for key, value in paginator.items()
    }
