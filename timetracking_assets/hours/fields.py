"""What is selected from a resource for each table that its rows may be in: names, types, SQL.

How the selections become tables is in `mapped_tables.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from timetracking_assets.hours.conversions import null
from timetracking_assets.hours.rows import Rows, has_unit
from timetracking_assets.hours.shapes import BOOL, DAY, INSTANT, MONEY, NUMBER, SECONDS, TEXT
from timetracking_assets.spec.unified import PeopleMapping, ValueSpec, WeekdayHoursSpec
from timetracking_assets.warehouse.base import literal


@dataclass(frozen=True)
class Field:
    """A column of what is selected from a resource: its name, type, and SQL."""

    name: str
    sql_type: str
    sql: Callable[[Rows, Any], str]


_SOURCE = (
    Field("source", TEXT, lambda rows, _: literal(rows.mapped.api.name)),
    Field("source_id", TEXT, lambda rows, _: rows.local_id),
    Field("is_distinct", BOOL, lambda rows, _: str(rows.mapped.distinct).lower()),
)


def _plain(name: str, sql_type: str, kind: Any, key: str = "") -> Field:
    return Field(name, sql_type, lambda rows, m: rows.value(getattr(m, key or name), kind))


def _link(name: str, key: str, table: str) -> Field:
    return Field(name, TEXT, lambda rows, m: rows.key(getattr(m, key), table))


def _account(name: str) -> Field:
    return Field(name, TEXT, lambda rows, m: rows.link(m.person, "people"))


def _last_day(rows: Rows, mapping: Any) -> str:
    first, last = (rows.value(day, "date") for day in (mapping.first_day, mapping.last_day))
    return f"coalesce({last}, {first})"


def _weekday_hours(rows: Rows, mapping: PeopleMapping) -> str:
    spec = mapping.weekday_hours
    if spec is None:
        return null(TEXT)
    value = rows.value(_column(spec), "list")
    text = f"regexp_replace({value}, '[^0-9.,]', '', 'g')"
    first = 1 if spec.first == "monday" else 2
    days = [(first - 1 + offset) % 7 + 1 for offset in range(7)]
    parts = ", ".join(f"split_part({text}, ',', {day})" for day in days)
    seven = r"^[0-9]+([.][0-9]+)?(,[0-9]+([.][0-9]+)?){6}$"
    return (
        f"CASE WHEN regexp_replace({text}, '{seven}', '') = '' AND {text} <> '' "
        f"THEN concat_ws(',', {parts}) END"
    )


def _column(spec: WeekdayHoursSpec) -> ValueSpec:
    return ValueSpec(column=spec.column)


def _estimate(rows: Rows, mapping: Any) -> str:
    return rows.seconds(mapping.estimate) if mapping.estimate else null(SECONDS)


FIELDS: dict[str, tuple[Field, ...]] = {
    "people": (
        *_SOURCE,
        _plain("name", TEXT, "text"),
        _plain("email", TEXT, "text"),
        _plain("active", BOOL, "bool"),
        _plain("starts_on", DAY, "date"),
        _plain("ends_on", DAY, "date"),
        _plain("rate", MONEY, "number"),
        _plain("timezone", TEXT, "text"),
        Field("weekday_hours", TEXT, _weekday_hours),
    ),
    "clients": (*_SOURCE, _plain("name", TEXT, "text"), _plain("active", BOOL, "bool")),
    "projects": (
        *_SOURCE,
        _link("client_key", "client", "clients"),
        _plain("name", TEXT, "text"),
        _plain("code", TEXT, "text"),
        _plain("active", BOOL, "bool"),
        _plain("billable", BOOL, "bool"),
        _plain("starts_on", DAY, "date"),
        _plain("ends_on", DAY, "date"),
        Field("estimated_seconds", SECONDS, _estimate),
    ),
    "tasks": (
        *_SOURCE,
        _link("project_key", "project", "projects"),
        _plain("name", TEXT, "text"),
        _plain("active", BOOL, "bool"),
        _plain("billable", BOOL, "bool"),
        Field("estimated_seconds", SECONDS, _estimate),
    ),
    "time_entries": (
        *_SOURCE,
        _account("account"),
        _link("project_key", "project", "projects"),
        _link("client_key", "client", "clients"),
        _link("task_key", "task", "tasks"),
        _link("plan_key", "plan", "plans"),
        _plain("day", DAY, "date"),
        _plain("started_at", INSTANT, "instant", "start"),
        _plain("ended_at", INSTANT, "instant", "end"),
        Field("stated_seconds", SECONDS, lambda rows, m: rows.seconds(m)),
        Field("unit", BOOL, lambda _, m: str(has_unit(m)).lower()),
        Field("has_end", BOOL, lambda _, m: str(m.end is not None).lower()),
        _plain("zone", TEXT, "text", "timezone"),
        Field(
            "partitions_zone",
            TEXT,
            lambda rows, _: (
                literal(rows.mapped.resource.partitions.timezone)
                if rows.mapped.resource.partitions
                else null(TEXT)
            ),
        ),
        _plain("billable", BOOL, "bool"),
        _plain("invoiced", BOOL, "bool"),
        _plain("locked", BOOL, "bool"),
        _plain("rate", MONEY, "number"),
        _plain("currency", TEXT, "text"),
        _plain("activity", TEXT, "text"),
        _plain("note", TEXT, "text"),
        _plain("updated_at", INSTANT, "instant"),
    ),
    "absences": (
        *_SOURCE,
        _account("account"),
        _plain("first_day", DAY, "date"),
        Field("last_day", DAY, _last_day),
        _plain("days", NUMBER, "number"),
        _plain("hours_per_day", NUMBER, "number"),
        _plain("kind", TEXT, "text"),
        Field(
            "status",
            TEXT,
            lambda rows, m: rows.value(m.status, "text") if m.status else "'approved'",
        ),
    ),
    "plans": (
        *_SOURCE,
        _account("account"),
        _link("project_key", "project", "projects"),
        _link("task_key", "task", "tasks"),
        _plain("first_day", DAY, "date"),
        Field("last_day", DAY, _last_day),
        _plain("hours_per_day", NUMBER, "number"),
        _plain("billable", BOOL, "bool"),
        _plain("status", TEXT, "text"),
    ),
    "holidays": (
        *_SOURCE,
        _plain("name", TEXT, "text"),
        _plain("first_day", DAY, "date"),
        Field("last_day", DAY, _last_day),
    ),
}
"""For each key of `unified` what is selected from a resource."""
