"""What a second demo loads: what is missing, and the trailing days again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from tests.support import throwaway_postgres
from timetracking_assets.cli.code_location import warehouse_of
from timetracking_assets.cli.demo import _plan

if TYPE_CHECKING:
    from tests.support.platform import Platform

ENTRIES = dg.AssetKey(["project_management", "entries"])
ABSENCES = dg.AssetKey(["project_management", "absences"])


def _planned(platform: Platform, now: datetime) -> dict[dg.AssetKey, tuple[str, ...]]:
    warehouse = warehouse_of(platform.definitions)
    apis = ["project_management"]
    [runs] = _plan(platform.definitions, apis, platform.instance, warehouse, now)
    return {key: run.partitions for run in runs for key in run.keys}


def test_first_and_second_demo(
    platform: Platform, today: date, day_of: Callable[[int], str]
) -> None:
    now = datetime.combine(today, time(12), UTC)
    first = _planned(platform, now)
    assert first[ENTRIES] == tuple(day_of(number) for number in range(10))
    assert len(first[ABSENCES]) == 1 + now.year - int(day_of(0)[:4])
    assert first[dg.AssetKey(["project_management", "projects"])] == ()

    assert platform.materialize("project_management/entries", days=(day_of(0), day_of(9))).green
    # the lookback of one day, not the ten that are there
    assert _planned(platform, now)[ENTRIES] == (day_of(8), day_of(9))
    # after three days without a demo
    later = _planned(platform, now + timedelta(days=3))
    assert later[ENTRIES] == tuple(day_of(number) for number in range(10, 13))

    if throwaway_postgres.available():
        platform.sql("DROP SCHEMA project_management CASCADE")
    else:
        platform.warehouse.unlink()
    assert _planned(platform, now)[ENTRIES] == first[ENTRIES]
