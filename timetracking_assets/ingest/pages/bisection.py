"""Windows whose answer is cut off by the API: requested again in halves, until nothing is missing.

Only resources with `max_rows_per_answer` come here; how pages are requested is in `fetch.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.ingest.windows import Window, series_of
from timetracking_assets.spec.api import Resource

SHORTEST = timedelta(hours=1)

RequestPages = Callable[[Window | None, Sequence[Any] | None], Iterator[Page]]
"""The pages for a window (or without one) and some of a fan-out's parent rows (or all)."""


def whole_answers(
    request_pages: RequestPages,
    resource: Resource,
    window: Window | None,
    parent_rows: Sequence[Any] | None,
    stats: RequestStats,
) -> Iterator[Page]:
    """All pages of the window, none of them of an answer that the API has cut off.

    `stats` count the pages of such answers.

    Raises AnswerError where no smaller part of the window can be requested.
    """
    limit = resource.max_rows_per_answer or 0
    pending = [(window, parent_rows)]
    while pending:
        part, parents = pending.pop()
        # a window longer than `max_days` is requested in several lists
        lists: dict[tuple[Window | None, int], list[Page]] = defaultdict(list)
        for page in request_pages(part, parents):
            lists[page.window, page.parent_row].append(page)
        cut: dict[Window | None, list[int]] = defaultdict(list)
        for (window_part, number), pages in lists.items():
            if sum(len(page.rows) for page in pages) < limit:
                yield from pages
            else:
                stats.requests_in_vain += len(pages)
                cut[window_part].append(number)
        for window_part, numbers in cut.items():
            rest = [parents[number] for number in numbers] if parents else parents
            pending += [(half, rest) for half in reversed(_halves(resource, window_part))]


def _halves(resource: Resource, window: Window | None) -> tuple[Window, Window]:
    spec = resource.window
    advice = (
        "Rows are missing beyond it. Raise `max_rows_per_answer` if the API does allow more, or "
        "request less at once with `params`"
    )
    reached = f"{resource.label}: an answer has reached {resource.max_rows_per_answer} rows"
    if window is None or spec is None or spec.year_param:
        raise AnswerError(f"{reached}, and it has no window that could be halved. {advice}.")
    halves = window.halves(by_day=spec.asks_by_day)
    if halves is None or window.end - window.start <= SHORTEST:
        least = "a day" if spec.asks_by_day else "an hour"
        raise AnswerError(f"{reached} for {window}, which is {least} or less. {advice}.")
    if series_of(resource, halves[0])[0].params == series_of(resource, window)[0].params:
        raise AnswerError(
            f"{reached} for {window}, and halves would be the same request. {advice}."
        )
    return halves
