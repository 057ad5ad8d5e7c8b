"""When a resource is loaded again: its automation keys, resolved.

Defaults are filled in and contradictions refused here; what Dagster makes of it is in
`orchestration`.
"""

from __future__ import annotations

from datetime import timedelta

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.api import Automation, Freshness, Parent, Schedule
from timetracking_assets.spec.automation import (
    REREAD_CRONS,
    ApiScheduleSpec,
    CronSpec,
    FreshnessSpec,
    ProbeSpec,
)
from timetracking_assets.spec.defaults import WithDefaults
from timetracking_assets.spec.model import ApiSpec, ResourceSpec
from timetracking_assets.spec.rules import why_not_probed

_WORKING_HOURS = ApiScheduleSpec.model_fields["snapshot"].default
_GRACE = timedelta(hours=6)


def resolve_automation(
    spec: ApiSpec, item: ResourceSpec, merged: WithDefaults, parent: Parent | None, path: SpecPath
) -> Automation:
    """The automation of `item`, the resource at `path` whose attributes are `merged`.

    A key that has no meaning beside the resource's other keys is ignored if it is a default of the
    API. Raises SpecError if it is the resource's own.
    """
    timezone = _timezone(spec)
    schedule = _schedule(spec, item, timezone)
    usual = schedule or Schedule(_WORKING_HOURS, timezone)
    condition = item.automation_condition or "none"
    if condition == "on_cron" and schedule is None:
        raise SpecError((*path, "automation_condition"), "`on_cron` needs a `schedule`")
    full_reread = _full_reread(spec, item, merged, timezone, path)
    if isinstance(item.freshness, FreshnessSpec):
        freshness = _freshness(item.freshness, usual, (*path, "freshness"))
    elif item.freshness == "off" or not (schedule or full_reread):
        freshness = None
    else:
        freshness = _usual_freshness(schedule or full_reread or usual, _kind(item))
    return Automation(
        lookback=_lookback(item, merged, path),
        schedule=schedule,
        full_reread=full_reread,
        freshness=freshness,
        probe=_probe(item, merged, parent, path),
        condition=condition,
    )


def _kind(item: ResourceSpec) -> str:
    return item.partitions.type if item.partitions else "snapshot"


def _timezone(spec: ApiSpec) -> str:
    if isinstance(spec.schedule, ApiScheduleSpec) and spec.schedule.timezone:
        return spec.schedule.timezone
    zones = {item.partitions.timezone for item in spec.resources if item.partitions}
    return zones.pop() if len(zones) == 1 else "UTC"


def _schedule(spec: ApiSpec, item: ResourceSpec, timezone: str) -> Schedule | None:
    own = item.schedule
    if isinstance(own, CronSpec):
        return Schedule(own.cron, own.timezone or timezone)
    if own == "off" or spec.schedule == "off":
        return None
    cron: str = getattr(spec.schedule, _kind(item))
    return None if cron == "off" else Schedule(cron, timezone)


def _lookback(item: ResourceSpec, merged: WithDefaults, path: SpecPath) -> int:
    if item.lookback is None or _kind(item) == "daily":
        return item.lookback or 0
    if not merged.is_default(("lookback",)):
        raise SpecError(
            (*path, "lookback"),
            "needs `partitions` of type daily; a snapshot is read whole each time, a year too",
        )
    return 0


def _full_reread(
    spec: ApiSpec, item: ResourceSpec, merged: WithDefaults, timezone: str, path: SpecPath
) -> Schedule | None:
    if item.full_reread in (None, "off"):
        return None
    is_default = merged.is_default(("full_reread",))
    if item.sync_mode != "window" and not is_default:
        why = {
            "snapshot": "a snapshot is read whole each time",
            "changes": "an edit comes with the day on which it is made, and a second look at an "
            "older day finds and removes nothing",
        }
        raise SpecError((*path, "full_reread"), f"needs `sync_mode: window`: {why[item.sync_mode]}")
    if item.sync_mode != "window" or (spec.schedule == "off" and is_default):
        return None
    return Schedule(REREAD_CRONS.get(item.full_reread, item.full_reread), timezone)


def _probe(
    item: ResourceSpec, merged: WithDefaults, parent: Parent | None, path: SpecPath
) -> ProbeSpec | None:
    if not isinstance(item.probe, ProbeSpec):
        return None
    problem = why_not_probed(item, item.probe, parent)
    if problem and not merged.is_default(("probe",)):
        raise SpecError((*path, "probe"), problem)
    return None if problem else item.probe


def _freshness(given: FreshnessSpec, usual: Schedule, path: SpecPath) -> Freshness:
    if (given.fail_hours is None) == (given.cron is None):
        raise SpecError(path, "needs either `fail_hours` or a `cron` of deadlines")
    if given.fail_hours is not None:
        if given.within_hours is not None or given.timezone is not None:
            raise SpecError(path, "`within_hours` and `timezone` belong to a `cron`")
        if given.warn_hours is not None and given.warn_hours >= given.fail_hours:
            raise SpecError((*path, "warn_hours"), "must be less than `fail_hours`")
        warn = None if given.warn_hours is None else timedelta(hours=given.warn_hours)
        return Freshness(timedelta(hours=given.fail_hours), warn)
    if given.warn_hours is not None:
        raise SpecError((*path, "warn_hours"), "belongs to `fail_hours`; a deadline has no warning")
    deadlines = Schedule(str(given.cron), given.timezone or usual.timezone)
    shortest = deadlines.gaps[0]
    within = shortest if given.within_hours is None else timedelta(hours=given.within_hours)
    if within > shortest:
        raise SpecError(
            (*path, "within_hours"),
            f"must not be longer than from one deadline to the next, "
            f"{shortest.total_seconds() / 3600:g} hours",
        )
    return Freshness(deadlines=deadlines, within=within)


def _usual_freshness(schedule: Schedule, kind: str) -> Freshness:
    """What a schedule that works brings about, with time for a run that is late or repeated."""
    usual = ApiScheduleSpec()
    if kind == "snapshot" and schedule.cron == usual.snapshot:
        return Freshness(
            deadlines=Schedule("0 8-19 * * 1-5", schedule.timezone), within=timedelta(hours=1)
        )
    if schedule.cron in (usual.daily, usual.yearly):
        return Freshness(
            deadlines=Schedule("0 8 * * *", schedule.timezone), within=timedelta(hours=24)
        )
    longest = schedule.gaps[1]
    return Freshness(fail_after=longest + max(timedelta(hours=1), min(longest / 4, _GRACE)))
