"""The keys of a `defs.yaml` that set when a resource is loaded again.

Only shapes belong here; defaults, and what the keys mean beside others, are in
`resolve_automation.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from timetracking_assets.spec.base import SpecModel, TimeZone, invalid
from timetracking_assets.spec.crons import problem_of


def as_off(value: object) -> object:
    """`off` where YAML reads it, unquoted, as a boolean."""
    return "off" if value is False else value


def as_schedule(value: object) -> object:
    """A cron alone is a schedule, too."""
    value = as_off(value)
    return {"cron": value} if isinstance(value, str) and value != "off" else value


Off = Literal["off"]


def _cron(value: str) -> str:
    if problem := problem_of(value):
        raise invalid(f"'{value}' {problem}")
    return value


def _cron_or_off(value: str) -> str:
    return value if value == "off" else _cron(value)


REREAD_CRONS = {"weekly": "0 5 * * 0", "monthly": "0 5 1 * *", "quarterly": "0 5 1 */3 *"}


def _reread(value: str) -> str:
    if value != "off" and value not in REREAD_CRONS and (problem := problem_of(value)):
        raise invalid(f"'{value}' is not one of {', '.join(REREAD_CRONS)}, and {problem}")
    return value


Cron = Annotated[str, AfterValidator(_cron)]
CronOrOff = Annotated[str, BeforeValidator(as_off), AfterValidator(_cron_or_off)]
# from Dagster's shortest, a minute, to ten years
Hours = Annotated[float, Field(ge=1 / 60, le=87_600)]


class CronSpec(SpecModel):
    """When a schedule ticks."""

    cron: Cron = Field(description="five fields: minute, hour, day, month, weekday")
    timezone: TimeZone | None = Field(
        None, description="IANA name of the cron's zone; else the API's `schedule.timezone`"
    )


class ApiScheduleSpec(SpecModel):
    """When an API's resources are loaded, by kind. `off` makes no schedule for a kind."""

    timezone: TimeZone | None = Field(
        None,
        description="zone of all crons (IANA name); else the one of the API's partitions, if they "
        "have one, else UTC",
    )
    snapshot: CronOrOff = Field("0 7-19 * * 1-5", description="resources without partitions")
    daily: CronOrOff = Field(
        "0 4 * * *", description="the newest day, with the `lookback` days before it"
    )
    yearly: CronOrOff = Field("30 4 * * *", description="the current year, in January the last too")
    running: bool = Field(
        False,
        description="true: schedules and sensors of the API are on as soon as Dagster runs; else "
        "they are switched on in the UI, or by TIMETRACKING_AUTOMATION=on",
    )


class FreshnessSpec(SpecModel):
    """How old a table may be: either `fail_hours`, or a `cron` of deadlines."""

    fail_hours: Hours | None = Field(
        None, description="hours since the last load (or since the newest day ended)"
    )
    warn_hours: Hours | None = Field(None, description="hours after which Dagster warns")
    cron: Cron | None = Field(None, description="deadlines by which a load must have happened")
    within_hours: Hours | None = Field(
        None, description="with `cron`: how long before the deadline a load counts"
    )
    timezone: TimeZone | None = Field(None, description="IANA name of the cron's zone")


class ProbeSpec(SpecModel):
    """A cheap request that shows whether a load would bring something new."""

    interval: int = Field(
        300, ge=1, le=31_536_000, description="seconds from one probe to the next"
    )
    params: dict[str, str | int | bool | None] = Field(
        default_factory=dict,
        description="query parameters that make the answer small (`per_page: 1`) and telling "
        "(`sort: -modified`); they win over the endpoint's",
    )
    since_param: str | None = Field(
        None,
        description="query parameter for an instant since when rows have changed, written in "
        "`format`",
    )
    format: str = Field("%Y-%m-%dT%H:%M:%SZ", description="as in `window`")


FullReread = Annotated[str, BeforeValidator(as_off), AfterValidator(_reread)]
Condition = Literal["none", "eager", "on_cron", "on_missing"]


class AutomationSpec(SpecModel):
    """The keys of `resource_defaults` and of each resource for when they are loaded."""

    lookback: int | None = Field(
        None,
        ge=0,
        description="daily partitions: days before the newest that are loaded again with it",
    )
    full_reread: FullReread | None = Field(
        None,
        description="`weekly`, `monthly`, `quarterly` or a cron: when all partitions of a "
        "`sync_mode: window` resource are loaded again; `off` for never",
    )
    freshness: Annotated[FreshnessSpec | Off | None, BeforeValidator(as_off)] = Field(
        None, description="how old the table may be; `off` for any age"
    )
    probe: Annotated[ProbeSpec | Off | None, BeforeValidator(as_off)] = Field(
        None, description="the request by which a sensor sees whether something changed"
    )
    automation_condition: Condition | None = Field(
        None,
        description="Dagster's declarative automation in place of the schedule; it waits for the "
        "blocking checks of parents",
    )
