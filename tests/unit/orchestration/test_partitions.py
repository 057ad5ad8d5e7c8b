"""Which partitions a load takes when nobody names them."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest

from timetracking_assets.orchestration.partitions import (
    known_partitions,
    neighbours,
    partitions_definition,
    range_tags,
    since_first_gap,
    since_last_load,
    trailing_range,
)
from timetracking_assets.spec.window import PartitionsSpec

DAYS = [f"2026-03-{day:02}" for day in range(1, 11)]


def _definition(kind: str, start: str, timezone: str = "UTC") -> dg.TimeWindowPartitionsDefinition:
    spec = PartitionsSpec.model_validate({"type": kind, "start": start, "timezone": timezone})
    definition = partitions_definition(spec)
    assert definition
    return definition


@pytest.mark.parametrize(
    ("lookback", "expected"),
    [(0, ["2026-03-09"]), (2, ["2026-03-07", "2026-03-08", "2026-03-09"]), (99, DAYS[:9])],
)
def test_days_with_lookback(lookback: int, expected: list[str]) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    days = _definition("daily", "2026-03-01")
    assert trailing_range(days, known_partitions(days, now), lookback, now) == expected


def test_a_day_is_there_when_it_has_ended_in_its_zone() -> None:
    now = datetime(2026, 3, 9, 16, tzinfo=UTC)
    for timezone, newest in [("UTC", "2026-03-08"), ("Asia/Tokyo", "2026-03-09")]:
        days = _definition("daily", "2026-03-01", timezone)
        assert known_partitions(days, now)[-1] == newest


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), ["2025", "2026"]),
        (datetime(2026, 2, 1, tzinfo=UTC), ["2026"]),
    ],
)
def test_the_last_year_is_read_in_january(now: datetime, expected: list[str]) -> None:
    years = _definition("yearly", "2024")
    assert trailing_range(years, known_partitions(years, now), 0, now) == expected


def test_january_begins_in_the_zone_of_the_years() -> None:
    now = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    years = _definition("yearly", "2024", "Europe/Berlin")
    assert trailing_range(years, known_partitions(years, now), 0, now) == ["2025", "2026"]


def test_catching_up() -> None:
    assert since_last_load(DAYS, {DAYS[2], DAYS[5]}) == DAYS[6:]
    assert since_last_load(DAYS, set()) == []
    assert since_first_gap(DAYS, set(DAYS) - {DAYS[4]}) == DAYS[4:]
    assert since_first_gap(DAYS, set(DAYS)) == []


def test_neighbours_are_ranges() -> None:
    chosen = {DAYS[0], DAYS[3], DAYS[4], DAYS[9], "2020-01-01"}
    assert neighbours(DAYS, chosen) == [DAYS[:1], DAYS[3:5], DAYS[9:]]
    assert neighbours(DAYS, set()) == []


def test_tags_of_a_range() -> None:
    assert range_tags([]) == {}
    assert set(range_tags(DAYS).values()) == {DAYS[0], DAYS[-1]}
