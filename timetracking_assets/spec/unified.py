"""`unified`: what a resource's columns mean in the one model of hours.

Only the grammar belongs here; what its keys must say together with the resource's columns is judged
in `unified_rules.py`, and the SQL that comes of it is in `hours/`. A table of the model has a class
here, a column of it a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from timetracking_assets.errors import SpecPath
from timetracking_assets.spec.base import SpecModel

EACH = "$each"
"""The item of the list that `each` names."""

Kind = Literal["id", "text", "bool", "number", "date", "instant", "iso8601", "list"]
UNITS = ("seconds", "minutes", "hours", "iso8601")
_IN_BRACES = re.compile(r"\{([^{}]*)\}")


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _as_map(value: Any) -> Any:
    # a value of an API may be a number or, unquoted in YAML, a boolean
    return (
        {_as_text(key): item for key, item in value.items()} if isinstance(value, dict) else value
    )


def _short_value(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


class ValueSpec(SpecModel):
    """Where a value comes from: a column (`name`), a column of the row that one refers to
    (`project_id.client_id`), or one of `map`, `sql` and `value`."""

    # the name of its section in the reference: it is the value of many keys
    model_config = ConfigDict(title="value")

    column: str | None = Field(None, description="the column; short: `key: column`")
    map: Annotated[
        dict[str, bool | str] | None,
        BeforeValidator(_as_map, json_schema_input_type=dict[str, bool | str]),
    ] = Field(
        None,
        description="with `column`: the API's values -> the model's. One that isn't here gives "
        "none, and a check names it",
    )
    sql: str | None = Field(
        None, description="an SQL expression; columns in braces: `NOT {archived}`, `{role_id.rate}`"
    )
    value: bool | float | str | None = Field(None, description="the same for every row")

    @property
    def paths(self) -> list[str]:
        """The columns and `reference.column`s that the value is made of."""
        if self.sql is not None:
            return list(dict.fromkeys(_IN_BRACES.findall(self.sql)))
        return [self.column] if self.column else []


Value = Annotated[ValueSpec, BeforeValidator(_short_value, json_schema_input_type=str | ValueSpec)]


class DurationSpec(SpecModel):
    """A length of time: one of the units."""

    model_config = ConfigDict(title="estimate")

    seconds: Value | None = None
    minutes: Value | None = None
    hours: Value | None = None
    iso8601: Value | None = Field(None, description="such as `PT2H30M`")


class WeekdayHoursSpec(SpecModel):
    """A list of seven numbers: the hours of each day of a week."""

    column: str = Field(description="the column with the list")
    first: Literal["monday", "sunday"] = Field("monday", description="the day that it begins with")


class MappingSpec(SpecModel):
    """What all tables have in common."""

    id: Value = Field(description="what identifies a row within the API")
    each: str | None = Field(
        None, description="a column with a list: a row for each item, which is called `$each`"
    )


class EntityMapping(MappingSpec):
    """What tables have in common that other rows refer to."""

    distinct: bool = Field(
        False,
        description="true: rows with one id are one row, for what is known from other rows only",
    )


class PeopleMapping(EntityMapping):
    """A person's account."""

    name: Value | None = None
    email: Value | None = Field(None, description="accounts with one address are one person")
    active: Value | None = None
    starts_on: Value | None = Field(None, description="first day of work")
    ends_on: Value | None = Field(None, description="last day of work")
    rate: Value | None = Field(None, description="rate for an hour")
    timezone: Value | None = Field(None, description="IANA name of the person's zone")
    weekday_hours: WeekdayHoursSpec | None = Field(
        None, description="hours that the person is there on each day of a week"
    )


class ClientsMapping(EntityMapping):
    """For whom work is done."""

    name: Value | None = None
    active: Value | None = None


class ProjectsMapping(EntityMapping):
    """What work is done for."""

    name: Value | None = None
    code: Value | None = Field(None, description="the account's own number for it")
    client: Value | None = Field(None, description="id of its client")
    active: Value | None = None
    billable: Value | None = None
    starts_on: Value | None = None
    ends_on: Value | None = None
    estimate: DurationSpec | None = None


class TasksMapping(EntityMapping):
    """A part of a project."""

    name: Value | None = None
    project: Value | None = Field(None, description="id of its project")
    active: Value | None = None
    billable: Value | None = None
    estimate: DurationSpec | None = None


class TimeEntriesMapping(MappingSpec):
    """Work done. `seconds`, `minutes`, `hours` or `iso8601` says how long; without, `start` and
    `end` do."""

    person: Value | None = Field(None, description="id of who worked")
    project: Value | None = Field(None, description="id of its project")
    client: Value | None = Field(None, description="id of its client; without, its project's")
    task: Value | None = Field(None, description="id of its task")
    plan: Value | None = Field(None, description="id of the plan that it carries out")
    day: Value | None = Field(
        None,
        description="day of work; without, that of `start`, in the zone of `timezone`, else of the "
        "person, of the partitions, or of the model",
    )
    start: Value | None = None
    end: Value | None = Field(None, description="an entry with a start and no end is running")
    seconds: Value | None = None
    minutes: Value | None = None
    hours: Value | None = None
    iso8601: Value | None = Field(None, description="such as `PT2H30M`")
    timezone: Value | None = Field(None, description="IANA name of the entry's zone")
    billable: Value | None = Field(None, description="whether the client is charged")
    invoiced: Value | None = None
    locked: Value | None = None
    rate: Value | None = Field(None, description="rate for an hour, in whole units of money")
    currency: Value | None = None
    activity: Value | None = Field(None, description="kind of work")
    note: Value | None = None
    updated_at: Value | None = None


class AbsencesMapping(MappingSpec):
    """Time off. Whole days, unless `days` or `hours_per_day` says otherwise."""

    person: Value = Field(description="id of who is absent")
    first_day: Value
    last_day: Value | None = Field(None, description="without, the first day")
    days: Value | None = Field(None, description="working days that it costs; halves count")
    hours_per_day: Value | None = Field(None, description="hours of each day, if not the whole")
    kind: Value | None = Field(None, description="`vacation`, `sick`, `training` or `other`")
    status: Value | None = Field(
        None,
        description="`approved`, `requested` or `declined`; without the key all are approved. Only "
        "approved absences count",
    )


class PlansMapping(MappingSpec):
    """Work planned: hours of each working day over a range."""

    person: Value = Field(description="id of who is planned")
    project: Value | None = None
    task: Value | None = None
    first_day: Value
    last_day: Value | None = Field(None, description="without, the first day")
    hours_per_day: Value
    billable: Value | None = None
    status: Value | None = Field(None, description="`tentative`, `confirmed` or `completed`")


class HolidaysMapping(MappingSpec):
    """Days on which nobody works."""

    name: Value | None = None
    first_day: Value
    last_day: Value | None = Field(None, description="without, the first day")


class UnifiedSpec(SpecModel):
    """What a resource's rows are in the model of hours: rows of one table, or of several."""

    people: PeopleMapping | None = None
    clients: ClientsMapping | None = None
    projects: ProjectsMapping | None = None
    tasks: TasksMapping | None = None
    time_entries: TimeEntriesMapping | None = None
    absences: AbsencesMapping | None = None
    plans: PlansMapping | None = None
    holidays: HolidaysMapping | None = None

    @property
    def tables(self) -> dict[str, MappingSpec]:
        """The mappings by the model's table."""
        return {
            name: mapping
            for name in type(self).model_fields
            if (mapping := getattr(self, name)) is not None
        }


KINDS: dict[str, Kind] = {
    **dict.fromkeys(("id", "person", "project", "client", "task", "plan"), "id"),
    **dict.fromkeys(("name", "email", "timezone", "code", "currency"), "text"),
    **dict.fromkeys(("activity", "note", "kind", "status"), "text"),
    **dict.fromkeys(("active", "billable", "invoiced", "locked"), "bool"),
    **dict.fromkeys(("rate", "seconds", "minutes", "hours", "days", "hours_per_day"), "number"),
    **dict.fromkeys(("starts_on", "ends_on", "day", "first_day", "last_day"), "date"),
    **dict.fromkeys(("start", "end", "updated_at"), "instant"),
    "iso8601": "iso8601",
    "weekday_hours": "list",
    "each": "list",
}
"""What a key's value is, whatever the table."""


def values(mapping: SpecModel, path: SpecPath = ()) -> Iterator[tuple[SpecPath, str, ValueSpec]]:
    """Each value of a mapping with its path and key; those of nested maps, too."""
    for key in type(mapping).model_fields:
        item = getattr(mapping, key)
        if isinstance(item, ValueSpec):
            yield (*path, key), key, item
        elif isinstance(item, DurationSpec):
            yield from values(item, (*path, key))
