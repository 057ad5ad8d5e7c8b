"""The next scheduled run of an asset: of a schedule that is on, else of one that is off."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from timetracking_assets.health.next_runs import next_runs

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def test_the_next_tick_of_a_schedule_that_is_on(instance: dg.DagsterInstance) -> None:
    @dg.asset
    def people() -> None: ...

    @dg.asset
    def roles() -> None: ...

    @dg.asset
    def plans() -> None: ...

    often = dg.ScheduleDefinition(
        name="often", cron_schedule="*/5 * * * *", target=dg.AssetSelection.assets(people, roles)
    )
    nightly = dg.ScheduleDefinition(
        name="nightly",
        cron_schedule="0 4 * * *",
        execution_timezone="Europe/Berlin",
        target=dg.AssetSelection.assets(people),
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    definitions = dg.Definitions(assets=[people, roles, plans], schedules=[often, nightly])
    upcoming = next_runs(definitions, instance, NOW)
    assert upcoming.keys() == {people.key, roles.key}
    # 4:00 in Berlin is 2:00 UTC in summer
    assert upcoming[people.key].at == datetime(2026, 4, 1, 2, tzinfo=UTC)
    assert (upcoming[people.key].schedule, upcoming[people.key].on) == ("nightly", True)
    assert (upcoming[roles.key].schedule, upcoming[roles.key].on) == ("often", False)
