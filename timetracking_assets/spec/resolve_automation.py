"""When a resource is loaded again: its automation keys with everything said.

Defaults are filled in and contradictions refused here; what Dagster makes of it is said in
`orchestration`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from croniter import CroniterBadDateError, croniter

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.automation import (
    ApiScheduleSpec,
    Condition,
    CronSpec,
    FreshnessSpec,
    ProbeSpec,
)
from timetracking_assets.spec.base import SyncMode, check_timezone
from timetracking_assets.spec.model import ApiSpec, ResourceSpec

_REREAD_CRONS = {"weekly": "0 5 * * 0", "monthly": "0 5 1 * *", "quarterly": "0 5 1 */3 *"}
_WORKING_HOURS = ApiScheduleSpec.model_fields["snapshot"].default
_GRACE = timedelta(hours=6)
_SOME_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Schedule:
    """A cron of five fields and the IANA name of its zone."""

    cron: str
    timezone: str

    @property
    def gaps(self) -> tuple[timedelta, timedelta]:
        """The shortest and the longest time from one tick to the next."""
        return _gaps(self.cron)


@dataclass(frozen=True)
class Freshness:
    """How old a table may be: `fail_after` since the last load, or (`deadlines`) a load in the
    last `within` before each deadline."""

    fail_after: timedelta | None = None
    warn_after: timedelta | None = None
    deadlines: Schedule | None = None
    within: timedelta = timedelta()


@dataclass(frozen=True)
class Automation:
    """How one resource is kept up to date; `lookback` is in days."""

    lookback: int = 0
    schedule: Schedule | None = None
    full_reread: Schedule | None = None
    freshness: Freshness | None = None
    probe: ProbeSpec | None = None
    condition: Condition = "none"


def resolve_automation(
    spec: ApiSpec, item: ResourceSpec, sync_mode: SyncMode, path: SpecPath
) -> Automation:
    """Raises SpecError for a key that has no meaning beside the resource's other keys."""
    defaults = spec.resource_defaults
    timezone = _timezone(spec)
    schedule = _schedule(spec, item, timezone, path)
    usual = schedule or Schedule(_WORKING_HOURS, timezone)
    condition = item.automation_condition or defaults.automation_condition or "none"
    full_reread = _full_reread(spec, item, sync_mode, timezone, path)
    probe = item.probe or defaults.probe
    freshness = item.freshness or defaults.freshness
    if condition == "on_cron" and schedule is None:
        raise SpecError((*path, "automation_condition"), "`on_cron` needs a `schedule`")
    return Automation(
        lookback=_lookback(spec, item, path),
        schedule=schedule,
        full_reread=full_reread,
        freshness=_freshness(freshness, usual, (*path, "freshness"))
        if isinstance(freshness, FreshnessSpec)
        else None
        if freshness == "off" or not (schedule or full_reread)
        else _usual_freshness(schedule or full_reread or usual, _kind(item)),
        probe=probe if isinstance(probe, ProbeSpec) else None,
        condition=condition,
    )


def _kind(item: ResourceSpec) -> str:
    return item.partitions.type if item.partitions else "snapshot"


def _timezone(spec: ApiSpec) -> str:
    given = spec.schedule.timezone if isinstance(spec.schedule, ApiScheduleSpec) else None
    zones = {item.partitions.timezone for item in spec.resources if item.partitions}
    return _checked_zone(given, ("schedule", "timezone")) or (
        zones.pop() if len(zones) == 1 else "UTC"
    )


def _schedule(spec: ApiSpec, item: ResourceSpec, timezone: str, path: SpecPath) -> Schedule | None:
    own = item.schedule
    if isinstance(own, CronSpec):
        zone = _checked_zone(own.timezone, (*path, "schedule", "timezone")) or timezone
        return Schedule(_checked_cron(own.cron, (*path, "schedule")), zone)
    if own == "off" or spec.schedule == "off":
        return None
    kind = _kind(item)
    cron: str = getattr(spec.schedule, kind)
    return None if cron == "off" else Schedule(_checked_cron(cron, ("schedule", kind)), timezone)


def _lookback(spec: ApiSpec, item: ResourceSpec, path: SpecPath) -> int:
    if _kind(item) == "daily":
        given = spec.resource_defaults.lookback if item.lookback is None else item.lookback
        return given or 0
    if item.lookback is not None:
        raise SpecError(
            (*path, "lookback"),
            "needs `partitions` of type daily; a snapshot is read whole each time, a year too",
        )
    return 0


def _full_reread(
    spec: ApiSpec, item: ResourceSpec, sync_mode: SyncMode, timezone: str, path: SpecPath
) -> Schedule | None:
    own, where = item.full_reread, (*path, "full_reread")
    if own is not None and own != "off" and sync_mode != "window":
        why = {
            "snapshot": "a snapshot is read whole each time",
            "changes": "an edit comes with the day on which it is made, and a second look at an "
            "older day finds and removes nothing",
        }
        raise SpecError(where, f"needs `sync_mode: window`: {why[sync_mode]}")
    given = spec.resource_defaults.full_reread if own is None else own
    if given in (None, "off") or sync_mode != "window" or (spec.schedule == "off" and not own):
        return None
    if given not in _REREAD_CRONS and not croniter.is_valid(given):
        raise SpecError(where, f"'{given}' is none of {', '.join(_REREAD_CRONS)}, nor a cron")
    return Schedule(_REREAD_CRONS.get(given) or _checked_cron(given, where), timezone)


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
    zone = _checked_zone(given.timezone, (*path, "timezone")) or usual.timezone
    deadlines = Schedule(_checked_cron(str(given.cron), (*path, "cron")), zone)
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


def _checked_cron(cron: str, path: SpecPath) -> str:
    if problem := _problem_of(cron):
        raise SpecError(path, f"'{cron}' {problem}")
    return cron


@lru_cache
def _problem_of(cron: str) -> str | None:
    if len(cron.split()) != 5 or not croniter.is_valid(cron):
        return "is not a cron of five fields, such as `0 4 * * *` for 4 o'clock"
    try:
        croniter(cron, _SOME_YEAR).get_next()
    except CroniterBadDateError:
        return "names days that never come"
    return None


def _checked_zone(name: str | None, path: SpecPath) -> str | None:
    check_timezone(name or "UTC", path)
    return name


@lru_cache
def _gaps(cron: str) -> tuple[timedelta, timedelta]:
    # 100 ticks show a whole week of an hourly cron and eight years of a monthly one
    ticks = croniter(cron, _SOME_YEAR)
    times = [ticks.get_next(datetime) for _ in range(100)]
    gaps = [after - before for before, after in pairwise(times)]
    return min(gaps), max(gaps)
