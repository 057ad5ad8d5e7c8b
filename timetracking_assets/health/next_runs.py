"""When schedules will next load each asset, from the definitions and what is switched on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg
from croniter import croniter

from timetracking_assets.health.model import NextRun


def next_runs(
    definitions: dg.Definitions, instance: dg.DagsterInstance, now: datetime
) -> Mapping[dg.AssetKey, NextRun]:
    """The next tick of a schedule that loads it, by asset; of those that are switched off where
    none is on."""
    repository = definitions.get_repository_def()
    statuses = {state.instigator_name: state.status for state in instance.all_instigator_state()}
    chosen: dict[dg.AssetKey, NextRun] = {}
    for schedule in repository.schedule_defs:
        status = statuses.get(schedule.name)
        declared = status is None or status.value == "DECLARED_IN_CODE"
        running = (
            schedule.default_status == dg.DefaultScheduleStatus.RUNNING
            if declared
            else status is not None and status.value == "RUNNING"
        )
        crons = [schedule.cron_schedule]
        if not isinstance(schedule.cron_schedule, str):
            crons = list(schedule.cron_schedule)
        at = min(_next_tick(str(cron), schedule.execution_timezone, now) for cron in crons)
        upcoming = NextRun(at, schedule.name, running)
        keys = repository.get_job(schedule.job_name).asset_layer.executable_asset_keys
        for key in keys:
            known = chosen.get(key)
            if known is None or (not upcoming.on, upcoming.at) < (not known.on, known.at):
                chosen[key] = upcoming
    return chosen


def _next_tick(cron: str, timezone: str | None, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(timezone or "UTC"))
    tick: datetime = croniter(cron, local).get_next(datetime)
    return tick.astimezone(UTC)
