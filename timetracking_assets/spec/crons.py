"""Crons of five fields: whether a text is one, and how far apart its ticks are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from croniter import CroniterBadDateError, croniter

_SOME_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


@lru_cache
def problem_of(cron: str) -> str | None:
    """What is wrong with `cron`, as the end of a sentence about it; None if nothing is."""
    if len(cron.split()) != 5 or not croniter.is_valid(cron):
        return "is not a cron of five fields, such as `0 4 * * *` for 4 o'clock"
    try:
        croniter(cron, _SOME_YEAR).get_next()
    except CroniterBadDateError:
        return "names days that never come"
    return None


@lru_cache
def gaps(cron: str) -> tuple[timedelta, timedelta]:
    """The shortest and the longest time from one tick to the next."""
    # 100 ticks show a whole week of an hourly cron and eight years of a monthly one
    ticks = croniter(cron, _SOME_YEAR)
    times = [ticks.get_next(datetime) for _ in range(100)]
    between = [after - before for before, after in pairwise(times)]
    return min(between), max(between)
