"""Incidents from facts: when they began, when they ended, and on how many days there were none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from timetracking_assets.health.incidents import check_incidents, load_incidents, ordered_days
from timetracking_assets.health.model import CheckResult, Incident, Load, OrderedDays

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def load(days: float) -> Load:
    return Load("run", ago(days))


def result(days: float, *, passed: bool) -> CheckResult:
    return CheckResult(ago(days), passed, is_error=True, run_id="run")


def test_failed_loads_last_until_the_next_success() -> None:
    incidents = load_incidents([ago(5), ago(6), ago(1)], [load(2), load(4), load(8)])
    assert [(item.began, item.ended) for item in incidents] == [(ago(6), ago(4)), (ago(1), None)]
    assert incidents[0].lasted(NOW) == timedelta(days=2)
    assert incidents[1].lasted(NOW) == timedelta(days=1)


def test_a_check_that_fails_again_and_again_is_one_incident() -> None:
    history = [(1, False), (2, True), (3, False), (4, False), (5, True)]
    results = [result(days, passed=passed) for days, passed in history]
    incidents = check_incidents("filled", results)
    assert [(item.began, item.ended) for item in incidents] == [(ago(4), ago(2)), (ago(1), None)]
    assert incidents[0].what == "Check filled failed"


def test_days_in_order() -> None:
    incidents = [Incident("x", ago(10), ago(9)), Incident("y", ago(0.1), None)]
    # the 21st, the 22nd and today
    assert ordered_days(incidents, ago(200), NOW, 30) == OrderedDays(30, 27, 30)
    # only what is known is counted: yesterday and today
    assert ordered_days(incidents, ago(1), NOW, 30) == OrderedDays(30, 1, 2)
    assert ordered_days([], None, NOW, 30) == OrderedDays(30, 0, 0)
