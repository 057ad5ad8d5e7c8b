"""Freshness of a partitioned asset, by its sensor and by the check after a load."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dagster as dg

from timetracking_assets.orchestration.automation.freshness import CHECK
from timetracking_assets.orchestration.check_history import latest_checks

if TYPE_CHECKING:
    from tests.support.platform import OfApi, Platform
    from tests.support.sensors import Sensor

Day = Callable[[int], str]
ENTRIES = "workspace_time/time_entries"
MakeSensor = Callable[..., "Sensor"]


def test_newest_partition(of_api: OfApi, make: MakeSensor, day_of: Day, days_due: set[str]) -> None:
    """A backfilled old day leaves the asset overdue; its newest day makes it fresh."""
    platform = of_api("workspace_time")
    key = dg.AssetCheckKey(dg.AssetKey.from_user_string(ENTRIES), CHECK)
    sensor = make(platform, "workspace_time_freshness")
    sensor.tick()
    assert not _passed(platform, key)

    old = platform.materialize(ENTRIES, partition=day_of(2))
    assert old.succeeded
    assert not old.checks[ENTRIES][CHECK].passed
    newest = str(old.checks[ENTRIES][CHECK].metadata["newest_due_partition"].value)
    assert newest in days_due

    new = platform.materialize(ENTRIES, partition=newest)
    assert new.checks[ENTRIES][CHECK].passed
    before = _passed(platform, key)
    assert before
    # nothing has turned: nothing is reported
    sensor.tick()
    assert _passed(platform, key) == before


def _passed(platform: Platform, key: dg.AssetCheckKey) -> str:
    """When the check passed last; empty if its latest result is no pass."""
    record = latest_checks(platform.instance, [key]).get(key)
    return str(record.at) if record and record.result and record.result.passed else ""
