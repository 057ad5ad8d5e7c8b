"""Crons: which texts are one, and the time between their ticks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from timetracking_assets.spec.crons import gaps, problem_of


@pytest.mark.parametrize("cron", ["0 4 * * *", "*/5 7-19 * * 1-5", "0 0 29 2 *"])
def test_a_cron(cron: str) -> None:
    assert problem_of(cron) is None


@pytest.mark.parametrize(
    ("cron", "problem"),
    [
        ("", "is not a cron"),
        ("daily", "is not a cron"),
        ("@daily", "is not a cron"),
        ("0 4 * *", "is not a cron"),
        ("0 0 4 * * *", "is not a cron"),
        ("61 4 * * *", "is not a cron"),
        ("0 4 30 2 *", "names days that never come"),
    ],
)
def test_anything_else(cron: str, problem: str) -> None:
    assert (problem_of(cron) or "").startswith(problem)


@pytest.mark.parametrize(
    ("cron", "shortest", "longest"),
    [
        ("0 4 * * *", timedelta(days=1), timedelta(days=1)),
        ("0 8,20 * * *", timedelta(hours=12), timedelta(hours=12)),
        ("0 7-19 * * 1-5", timedelta(hours=1), timedelta(days=2, hours=12)),
        ("0 0 1 * *", timedelta(days=28), timedelta(days=31)),
    ],
)
def test_the_time_between_ticks(cron: str, shortest: timedelta, longest: timedelta) -> None:
    assert gaps(cron) == (shortest, longest)
