"""Whether a table is fresh: by its age, by deadlines, by its newest partition."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from timetracking_assets.orchestration.asset_specs import freshness_metadata, freshness_of
from timetracking_assets.orchestration.automation.freshness import judge
from timetracking_assets.spec.api import Freshness, Schedule

KEY = dg.AssetKey(["api", "entries"])
NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
DAILY = dg.DailyPartitionsDefinition(start_date="2026-03-01")


def age(fail: float, warn: float | None = None) -> Freshness:
    return Freshness(timedelta(hours=fail), None if warn is None else timedelta(hours=warn))


def by(cron: str, within: float, timezone: str = "UTC") -> Freshness:
    return Freshness(deadlines=Schedule(cron, timezone), within=timedelta(hours=within))


@pytest.mark.parametrize("night", [datetime(2026, 10, 25), datetime(2026, 3, 29)])
def test_an_overdue_table_stays_overdue_while_clocks_change(night: datetime) -> None:
    """Of the hour that comes twice, the second is not taken for the first: deadlines never go back.

    Loaded a minute before each full hour, with half an hour allowed, a table is fresh at all times.
    """
    hourly = Freshness(
        deadlines=Schedule("0 * * * *", "Europe/Berlin"), within=timedelta(minutes=30)
    )
    begin = night.replace(tzinfo=UTC) - timedelta(hours=2)
    nows = [begin + timedelta(minutes=minutes) for minutes in range(0, 6 * 60, 5)]
    overdue = []
    for now in nows:
        stale = begin - timedelta(minutes=1)
        verdict = judge(KEY, hourly, None, _loaded(), stale, now)
        in_time = now.replace(minute=0) - timedelta(minutes=1)
        fresh = judge(KEY, hourly, None, _loaded(), in_time, now)
        assert fresh.fresh, now
        overdue.append((not verdict.fresh, verdict.since or now))
    assert overdue[12:] == [(True, now.replace(minute=0)) for now in nows[12:]]


DAYS_LOADED = {f"2026-03-{day:02}": NOW - timedelta(hours=1) for day in range(1, 10)}


@pytest.mark.parametrize(
    ("policy", "fresh", "late"),
    [
        (age(6), False, False),
        # midnight plus 18 hours is still to come
        (age(18), True, False),
        (age(18, 6), True, True),
        (by("0 6 * * *", 6), False, False),
        # 13:00 in Berlin is 12:00 in UTC: the last deadline was yesterday's
        (by("1 13 * * *", 6, "Europe/Berlin"), True, False),
        (None, None, False),
    ],
)
def test_the_newest_day_is_due_when_the_policy_says_so(
    policy: Freshness | None, fresh: bool | None, late: bool
) -> None:
    """All days but the last one were loaded an hour ago: a backfill makes nothing fresh."""
    verdict = judge(KEY, policy, DAILY, _loaded(DAYS_LOADED), NOW - timedelta(hours=1), NOW)
    assert (verdict.fresh, verdict.late) == (fresh, late)
    if fresh is False:
        assert (verdict.partition, verdict.loaded) == ("2026-03-10", None)


@pytest.mark.parametrize(
    ("policy", "hours_ago", "fresh", "late"),
    [
        (age(5), 4, True, False),
        (age(5, 3), 4, True, True),
        (age(5), 6, False, False),
        (by("0 9 * * *", 2), 4.5, True, False),
        (by("0 9 * * *", 2), 5.5, False, False),
        (None, 10_000, None, False),
    ],
)
def test_a_snapshot_is_fresh_by_its_age(
    policy: Freshness | None, hours_ago: float, fresh: bool | None, late: bool
) -> None:
    verdict = judge(KEY, policy, None, _loaded(), NOW - timedelta(hours=hours_ago), NOW)
    assert (verdict.fresh, verdict.late) == (fresh, late)


def test_the_current_year_is_fresh_by_its_age() -> None:
    yearly = dg.TimeWindowPartitionsDefinition(
        cron_schedule="0 0 1 1 *", fmt="%Y", start="2025", end_offset=1
    )
    at = NOW - timedelta(hours=6)
    instance = _loaded({"2025": NOW, "2026": at})
    verdict = judge(KEY, age(5), yearly, instance, NOW, NOW)
    assert (verdict.fresh, verdict.partition, verdict.loaded) == (False, "2026", at)
    assert verdict.since == NOW - timedelta(hours=1)
    assert judge(KEY, age(7), yearly, instance, NOW, NOW).fresh


def test_a_load_of_the_future_proves_nothing() -> None:
    """A clock was ahead for a while: the table would be fresh until time has come so far."""
    ahead = NOW + timedelta(days=10)
    verdict = judge(KEY, age(6), None, _loaded(), ahead, NOW)
    assert (verdict.fresh, verdict.loaded, verdict.since) == (False, None, NOW)
    days = dict.fromkeys(DAYS_LOADED, NOW) | {"2026-03-10": ahead}
    assert judge(KEY, age(6), DAILY, _loaded(days), ahead, NOW).fresh is False
    # the clocks of two machines are never the same
    assert judge(KEY, age(6), None, _loaded(), NOW + timedelta(minutes=5), NOW).fresh


def test_what_was_never_loaded_is_not_judged() -> None:
    assert judge(KEY, age(5), None, _loaded(), None, NOW).fresh is None


@pytest.mark.parametrize("policy", [age(1.5, 1), by("0 9 * * *", 2, "Europe/Berlin"), None])
def test_metadata_holds_the_policy(policy: Freshness | None) -> None:
    assert freshness_of(json.loads(json.dumps(freshness_metadata(policy)))) == policy


def _loaded(partitions: Mapping[str, datetime] | None = None) -> Any:
    """An instance with a load of each of `partitions`."""

    def fetch(records_filter: dg.AssetRecordsFilter, limit: int) -> Any:
        [partition] = records_filter.asset_partitions or []
        loaded = (partitions or {}).get(partition)
        records = [SimpleNamespace(timestamp=loaded.timestamp())] if loaded else []
        return SimpleNamespace(records=records)

    return SimpleNamespace(fetch_materializations=fetch)
