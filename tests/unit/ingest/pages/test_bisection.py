"""Answers that an API cuts off are asked for again in halves of their window."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.bisection import whole_answers
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.window import WindowSpec

MakeResource = Callable[..., Resource]
DAY = Window.of_days(date(2026, 1, 5), date(2026, 1, 6))
LIMIT = 4


class CappedApi:
    """Holds instants for each parent; answers with the first `LIMIT` of a window, two a page."""

    def __init__(self, *instants: Sequence[datetime]) -> None:
        self.instants = instants
        self.asked: list[tuple[Window, list[int]]] = []

    def ask(self, window: Window | None, parents: Sequence[Any] | None) -> Iterator[Page]:
        assert window is not None
        numbers = [row["number"] for row in parents or [{"number": 0}]]
        self.asked.append((window, numbers))
        for index, number in enumerate(numbers):
            inside = [at for at in self.instants[number] if window.start <= at < window.end]
            rows = [msgspec.Raw(f'"{number} {at}"'.encode()) for at in inside[:LIMIT]]
            for first in range(0, len(rows), 2):
                yield Page(1, "u", rows[first : first + 2], parent_row=index, window=window)


def at(*minutes: int) -> list[datetime]:
    return [datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=minute) for minute in minutes]


def answered(pages: Iterator[Page]) -> list[str]:
    return sorted(bytes(row).decode() for page in pages for row in page.rows)


@pytest.fixture
def capped(resource: MakeResource) -> Callable[..., Resource]:
    def make(**window: Any) -> Resource:
        made = resource(sync_mode="window", window="day", max_rows_per_answer=LIMIT)
        spec = WindowSpec(**{"field": "day", "start_param": "from", "end_param": "to", **window})
        return Resource(**{**vars(made), "window": spec})

    return make


def test_below_the_limit_one_question_is_enough(capped: Callable[..., Resource]) -> None:
    api = CappedApi(at(1, 2, 3))
    assert len(answered(whole_answers(api.ask, capped(), DAY, None, RequestStats()))) == LIMIT - 1
    assert api.asked == [(DAY, [0])]


def test_a_limit_that_is_reached_exactly_is_requested_again(
    capped: Callable[..., Resource],
) -> None:
    api = CappedApi(at(1, 2, 800, 900))
    stats = RequestStats()
    rows = answered(whole_answers(api.ask, capped(), DAY, None, stats))
    assert len(rows) == len(set(rows)) == LIMIT
    assert stats.requests_in_vain == 2  # the pages of the answer that may have been cut off
    first, second = DAY.halves(by_day=False) or ()
    assert [window for window, _ in api.asked] == [DAY, first, second]


def test_halves_down_to_the_hour_and_only_for_the_parents_that_need_it(
    capped: Callable[..., Resource],
) -> None:
    crowded = at(*range(0, 180, 50), *range(600, 1440, 45))
    api = CappedApi(at(5), crowded, at(1000))
    parents = [{"number": number} for number in range(3)]
    rows = answered(whole_answers(api.ask, capped(), DAY, parents, RequestStats()))
    assert len(rows) == len(set(rows)) == len(crowded) + 2
    assert api.asked[0] == (DAY, [0, 1, 2])
    assert {tuple(numbers) for _, numbers in api.asked[1:]} == {(1,)}
    windows = [window for window, _ in api.asked[1:]]
    assert windows == sorted(windows, key=lambda window: (window.start, -window.end.timestamp()))


@pytest.mark.parametrize(
    ("window", "spec", "message"),
    [
        (DAY, {}, "which is an hour or less"),
        (DAY, {"format": "date"}, "which is a day or less"),
        (DAY, {"format": "%d.%m.%Y"}, "which is a day or less"),
        (DAY, {"format": "%Y %H", "end_param": None}, "would be the same request"),
        (None, {}, "no window that could be halved"),
        (DAY, {"year_param": "year", "start_param": None, "end_param": None}, "could be halved"),
    ],
)
def test_what_can_not_be_halved_fails(
    capped: Callable[..., Resource], window: Window | None, spec: dict[str, Any], message: str
) -> None:
    def ask(window: Window | None, parents: Sequence[Any] | None) -> Iterator[Page]:
        for page in CappedApi(at(*range(10))).ask(window or DAY, parents):
            page.window = window
            yield page

    with pytest.raises(AnswerError, match=f"hours/entries: an answer has reached 4.*{message}"):
        answered(whole_answers(ask, capped(**spec), window, None, RequestStats()))


def test_several_days_are_halved_between_days(capped: Callable[..., Resource]) -> None:
    week = Window.of_days(date(2026, 1, 1), date(2026, 1, 8))
    api = CappedApi([datetime(2026, 1, day, 8, tzinfo=UTC) for day in range(1, 8)])
    rows = answered(whole_answers(api.ask, capped(format="date"), week, None, RequestStats()))
    assert len(rows) == len(set(rows)) == 7
    assert all(window.start.hour == 0 for window, _ in api.asked)


def test_a_window_longer_than_the_api_answers_is_halved_part_by_part(
    capped: Callable[..., Resource],
) -> None:
    """Each part is a list of its own: only one that reaches the limit is asked for again."""
    month = Window.of_days(date(2026, 1, 1), date(2026, 1, 31))
    quiet = [datetime(2026, 1, day, 8, tzinfo=UTC) for day in (1, 9, 21)]
    api = CappedApi([*quiet, *(datetime(2026, 1, day, 8, tzinfo=UTC) for day in range(11, 16))])
    resource = capped(format="date", max_days=10, end_inclusive=True)
    parts = month.parts(10)

    def ask(window: Window | None, parents: Sequence[Any] | None) -> Iterator[Page]:
        for part in parts if window == month else [window]:
            yield from api.ask(part, parents)

    rows = answered(whole_answers(ask, resource, month, None, RequestStats()))
    assert len(rows) == len(set(rows)) == 8
    asked = [window for window, _ in api.asked]
    assert asked[:3] == parts
    assert all(parts[1].start <= w.start < w.end <= parts[1].end for w in asked[3:])
