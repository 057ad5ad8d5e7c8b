"""Partitions arranged by week and by month."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from timetracking_assets.health.calendar import WEEKS, calendar, months
from timetracking_assets.health.model import Partition, PartitionState

LOADED, FAILED, MISSING = PartitionState.LOADED, PartitionState.FAILED, PartitionState.MISSING


def days(first: date, count: int, rows: int | None = 1) -> list[Partition]:
    keys = [(first + timedelta(days=n)).isoformat() for n in range(count)]
    return [Partition(key, LOADED, rows) for key in keys]


def test_days_are_in_their_weekdays_row_and_weeks_column() -> None:
    arranged = calendar(days(date(2026, 1, 1), 6))  # a Thursday to the next Tuesday
    assert arranged is not None
    assert arranged.weeks == (date(2025, 12, 29), date(2026, 1, 5))
    shown = [[cell and cell.day.day for cell in row] for row in arranged.days]
    assert shown == [[None, 5], [None, 6], [None, None], [1, None], [2, None], [3, None], [4, None]]


def test_it_shows_the_last_year_and_the_months_show_all() -> None:
    arranged = calendar(days(date(2024, 1, 1), 800))
    assert arranged is not None
    assert len(arranged.weeks) == WEEKS
    assert arranged.days[0][0] is not None
    assert len(arranged.months) == 27
    assert (arranged.months[0].name, arranged.months[-1].name) == ("2026-03", "2024-01")


@pytest.mark.parametrize("keys", [[], ["2025", "2026"], ["2026-01-01", "2026"]])
def test_only_days_make_a_calendar(keys: list[str]) -> None:
    assert calendar([Partition(key, LOADED) for key in keys]) is None


def test_levels_are_shares_of_the_fullest_day() -> None:
    counts = [0, 1, 25, 26, 50, 51, 75, 76, 100, None]
    partitions = [
        Partition(f"2026-01-{n + 1:02}", LOADED, rows) for n, rows in enumerate(counts)
    ]  # fmt: skip
    arranged = calendar(partitions)
    assert arranged is not None
    cells = sorted((cell for row in arranged.days for cell in row if cell), key=lambda c: c.day)
    assert [cell.level for cell in cells] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 0]


def test_a_cell_in_words_and_with_a_sign() -> None:
    partitions = [
        Partition("2026-01-05", LOADED, 1234),
        Partition("2026-01-06", FAILED),
        Partition("2026-01-07", MISSING, 0),
    ]
    arranged = calendar(partitions)
    assert arranged is not None
    cells = [row[0] for row in arranged.days[:3]]
    assert [cell and cell.label for cell in cells] == [
        "2026-01-05: 1,234 rows",
        "2026-01-06: failed",
        "2026-01-07: missing, 0 rows",
    ]
    assert [cell and cell.symbol for cell in cells] == ["", "✗", "○"]


def test_months_in_figures_newest_first() -> None:
    partitions = [
        Partition("2026-01-30", LOADED, 2),
        Partition("2026-01-31", FAILED),
        Partition("2026-02-01", MISSING),
        Partition("2026-02-02", PartitionState.NOT_STARTED),
    ]
    february, january = months(partitions)
    assert (january.loaded, january.failed, january.missing, january.rows) == (1, 1, 0, 2)
    assert (february.loaded, february.failed, february.missing, february.rows) == (0, 0, 2, None)
    [year] = months([Partition("2026", LOADED, 3)])
    assert (year.name, year.rows) == ("2026", 3)
