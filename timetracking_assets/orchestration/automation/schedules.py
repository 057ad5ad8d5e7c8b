"""Schedules: when the resources of an API are loaded, and which partitions then.

One schedule and one run for each API and kind; resources that can't share a run (other partitions,
another range) get one of their own in the same tick. Which range that is, is in `partitions.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import dagster as dg

from timetracking_assets.orchestration.automation.jobs import (
    asset_job,
    run_requests,
    schedule_status,
)
from timetracking_assets.orchestration.partitions import (
    known_partitions,
    partitions_definition,
    regular_range,
)
from timetracking_assets.orchestration.runs import is_running
from timetracking_assets.spec.api import Api, Resource, Schedule

ChoosePartitions = Callable[[Resource, dg.DagsterInstance, datetime], list[str]]
"""The partitions of a resource that a tick at a time loads."""

_WHAT = {
    "snapshot": "Loads the resources that have no partitions.",
    "daily": "Loads the newest day with the days of the lookback, and those missed since the "
    "last load.",
    "yearly": "Loads the current year; in January the previous one, too.",
    "full_reread": "Loads all partitions again, to catch edits that are older than the lookback.",
}


def build_schedules(api: Api) -> list[dg.ScheduleDefinition]:
    """The schedules of `api`, each with its job. Resources with an `automation_condition` are left
    to Dagster, except for full re-reads."""
    built: list[dg.ScheduleDefinition] = []
    for kind in ("snapshot", "daily", "yearly"):
        timed = {
            name: resource.automation.schedule
            for name, resource in api.resources.items()
            if resource.kind == kind and resource.automation.condition == "none"
        }
        built += _of_kind(api, kind, timed, regular_range)
    rereads = {name: item.automation.full_reread for name, item in api.resources.items()}
    return built + _of_kind(api, "full_reread", rereads, _everything)


def _everything(resource: Resource, instance: dg.DagsterInstance, now: datetime) -> list[str]:
    definition = partitions_definition(resource.partitions)
    return list(known_partitions(definition, now)) if definition else []


def _of_kind(
    api: Api, kind: str, timed: Mapping[str, Schedule | None], choose: ChoosePartitions
) -> list[dg.ScheduleDefinition]:
    """One schedule for the resources with the most common timing, one for each of the others."""
    common = Counter(timing for timing in timed.values() if timing).most_common(1)
    groups: dict[tuple[str, Schedule], list[Resource]] = {}
    for name, timing in timed.items():
        if timing:
            title = f"{api.name}_{kind}" + ("" if timing == common[0][0] else f"_{name}")
            groups.setdefault((title, timing), []).append(api.resources[name])
    return [
        _schedule(api, title, kind, timing, members, choose)
        for (title, timing), members in groups.items()
    ]


def _schedule(
    api: Api,
    name: str,
    kind: str,
    timing: Schedule,
    resources: Sequence[Resource],
    choose: ChoosePartitions,
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job=asset_job(name, kind, resources, _WHAT[kind]),
        cron_schedule=timing.cron,
        execution_timezone=timing.timezone,
        description=_WHAT[kind],
        default_status=schedule_status(api),
    )
    def tick(
        context: dg.ScheduleEvaluationContext,
    ) -> dg.SkipReason | list[dg.RunRequest]:
        if is_running(context.instance, name):
            return dg.SkipReason(f"The last run of {name} has not ended yet.")
        now = context.scheduled_execution_time
        ranges = {item.name: choose(item, context.instance, now) for item in resources}
        due = {title: keys for title, keys in ranges.items() if keys or kind == "snapshot"}
        if not due:
            return dg.SkipReason("No partition exists yet.")
        return run_requests(due, api.resources, key=now.isoformat())

    return tick
