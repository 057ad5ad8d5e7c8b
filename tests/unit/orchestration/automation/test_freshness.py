"""Deadlines of freshness in the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from timetracking_assets.orchestration.automation.freshness import judge
from timetracking_assets.spec.api import Automation, Freshness, Schedule


@pytest.mark.parametrize("night", [datetime(2026, 10, 25), datetime(2026, 3, 29)])
def test_an_overdue_table_stays_overdue_while_clocks_change(night: datetime) -> None:
    """Of the hour that comes twice, the second is not taken for the first: deadlines never go back.

    Loaded a minute before each full hour, with half an hour allowed, a table is fresh at all times.
    """
    hourly = Freshness(
        deadlines=Schedule("0 * * * *", "Europe/Berlin"), within=timedelta(minutes=30)
    )
    resource: Any = SimpleNamespace(
        api="api", name="people", partitions=None, automation=Automation(freshness=hourly)
    )
    begin = night.replace(tzinfo=UTC) - timedelta(hours=2)
    nows = [begin + timedelta(minutes=minutes) for minutes in range(0, 6 * 60, 5)]
    overdue = []
    for now in nows:
        stale = begin - timedelta(minutes=1)
        verdict = judge(resource, _loaded(stale), now)
        fresh = judge(resource, _loaded(now.replace(minute=0) - timedelta(minutes=1)), now)
        assert fresh.fresh, now
        overdue.append((not verdict.fresh, verdict.since or now))
    assert overdue[12:] == [(True, now.replace(minute=0)) for now in nows[12:]]


def _loaded(at: datetime) -> Any:
    return SimpleNamespace(
        get_latest_materialization_event=lambda _: SimpleNamespace(timestamp=at.timestamp())
    )
