"""The SQL of the tables that are made of other tables of the model."""

from __future__ import annotations

from timetracking_assets.hours.conversions import numbers
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.shapes import MONEY, SECONDS
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.warehouse.base import quoted

_FIRST_DAY, _YEARS_AHEAD = "DATE '2000-01-01'", 2


def _table(name: str) -> str:
    return quoted(SCHEMA, name)


def people(model: HoursModel) -> str:
    """A person has each fact from the first account, by precedence, that has one; and is active if
    one account is."""
    order = f"{model.rank('people', 'a.source')}, a.source, a.source_id"
    facts = []
    for column in TABLES["people"].columns[1:-2]:
        name = quoted(column.name)
        if column.name == "active":
            facts.append("bool_or(a.active) AS active")
        else:
            facts.append(
                f"(array_agg(a.{name} ORDER BY {order}) FILTER (WHERE a.{name} IS NOT NULL))[1] "
                f"AS {name}"
            )
    return (
        f"SELECT a.person_key, {', '.join(facts)}, count(*) AS accounts, "
        "string_agg(DISTINCT a.source, ',' ORDER BY a.source) AS sources "
        f"FROM {_table('people_in_sources')} AS a GROUP BY a.person_key"
    )


def calendar(model: HoursModel) -> str:
    """The days between the first and the last that have any row: from 2000 on, and at most
    two years ahead, so that a plan without an end makes no endless calendar."""
    days = " UNION ALL ".join(
        f"SELECT min({first}) AS first_day, max({last}) AS last_day FROM {_table(name)}"
        for name, first, last in (
            ("time_entries", "day", "day"),
            ("absences", "first_day", "last_day"),
            ("plans", "first_day", "last_day"),
        )
    )
    bounds = (
        f"SELECT greatest(min(first_day), {_FIRST_DAY}) AS first_day, "
        f"least(max(last_day), current_date + {_YEARS_AHEAD * 366}) AS last_day FROM ({days}) AS d "
        "HAVING min(first_day) IS NOT NULL"
    )
    return (
        "SELECT c.day, CAST(extract(isodow FROM c.day) AS BIGINT) AS weekday, "
        "CAST(date_trunc('week', c.day) AS DATE) AS week, "
        "CAST(date_trunc('month', c.day) AS DATE) AS month "
        f"FROM (SELECT b.first_day + CAST(n.n AS INTEGER) AS day FROM ({bounds}) AS b "
        f"JOIN {numbers(5)} AS n ON n.n <= b.last_day - b.first_day) AS c"
    )


def capacity_days(model: HoursModel) -> str:
    """Weekly hours on each day of employment that is no holiday. Who has left without a last day
    has none."""
    standard = ",".join([f"{model.spec.day_hours:g}"] * 5 + ["0", "0"])
    hours = (
        f"CAST(split_part(coalesce(p.weekday_hours, '{standard}'), ',', "
        "CAST(c.weekday AS INTEGER)) AS DECIMAL(18,6))"
    )
    return (
        f"SELECT d.person_key, d.day, d.seconds FROM (SELECT p.person_key, c.day, "
        f"CAST(round({hours} * 3600) AS {SECONDS}) AS seconds "
        f"FROM {_table('people')} AS p JOIN {_table('calendar')} AS c "
        "ON (p.starts_on IS NULL OR c.day >= p.starts_on) "
        "AND (p.ends_on IS NULL OR c.day <= p.ends_on) "
        "WHERE (coalesce(p.active, true) OR p.ends_on IS NOT NULL) AND NOT EXISTS "
        f"(SELECT 1 FROM {_table('holidays')} AS h "
        "WHERE c.day BETWEEN h.first_day AND h.last_day)) AS d WHERE d.seconds > 0"
    )


def planned_days(model: HoursModel) -> str:
    """The hours of plans on each working day of their range."""
    return (
        f"SELECT p.person_key, c.day, "
        f"CAST(sum(round(p.hours_per_day * 3600)) AS {SECONDS}) AS seconds "
        f"FROM {_table('plans')} AS p JOIN {_table('capacity_days')} AS c "
        "ON c.person_key = p.person_key AND c.day BETWEEN p.first_day AND p.last_day "
        "WHERE p.hours_per_day IS NOT NULL GROUP BY p.person_key, c.day"
    )


def absence_days(model: HoursModel) -> str:
    """Approved absences on working days, from the first API by precedence that has one."""
    covered = (
        "SELECT a.person_key, a.source, c.day, c.seconds AS capacity, "
        "CASE WHEN a.hours_per_day IS NOT NULL THEN least(c.seconds, "
        f"CAST(round(a.hours_per_day * 3600) AS {SECONDS})) "
        "WHEN a.days IS NOT NULL THEN least(c.seconds, CAST(round(c.seconds * a.days / "
        f"count(*) OVER (PARTITION BY a.absence_key)) AS {SECONDS})) "
        "ELSE c.seconds END AS seconds "
        f"FROM {_table('absences')} AS a JOIN {_table('capacity_days')} AS c "
        "ON c.person_key = a.person_key AND c.day BETWEEN a.first_day AND a.last_day "
        "WHERE a.status = 'approved'"
    )
    by_source = (
        "SELECT person_key, source, day, "
        f"CAST(least(max(capacity), sum(seconds)) AS {SECONDS}) AS seconds "
        f"FROM ({covered}) AS c GROUP BY person_key, source, day"
    )
    order = f"{model.rank('absences', 's.source')}, s.source"
    return (
        "SELECT r.person_key, r.day, r.seconds, r.source FROM (SELECT s.*, row_number() OVER "
        f"(PARTITION BY s.person_key, s.day ORDER BY {order}) AS nth "
        f"FROM ({by_source}) AS s WHERE s.seconds > 0) AS r WHERE r.nth = 1"
    )


def person_days(model: HoursModel) -> str:
    """Each person and day that have any row."""
    parts = (
        ("capacity_days", "d.seconds", "0", "0", "0", "0", ""),
        ("absence_days", "0", "d.seconds", "0", "0", "0", ""),
        ("planned_days", "0", "0", "d.seconds", "0", "0", ""),
        (
            "time_entries",
            *("0", "0", "0", "d.seconds", "CASE WHEN d.billable THEN d.seconds ELSE 0 END"),
            " WHERE d.seconds IS NOT NULL",
        ),
    )
    union = " UNION ALL ".join(
        f"SELECT d.person_key, d.day, {capacity} AS capacity, {absent} AS absent, "
        f"{planned} AS planned, {worked} AS worked, {billable} AS billable "
        f"FROM {_table(name)} AS d{where}"
        for name, capacity, absent, planned, worked, billable, where in parts
    )

    def total(name: str) -> str:
        return f"CAST(sum({name}) AS {SECONDS})"

    return (
        f"SELECT person_key, day, {total('capacity')} AS capacity_seconds, "
        f"{total('absent')} AS absent_seconds, {total('capacity - absent')} AS available_seconds, "
        f"{total('planned')} AS planned_seconds, {total('worked')} AS worked_seconds, "
        f"{total('billable')} AS billable_seconds FROM ({union}) AS u GROUP BY person_key, day"
    )


def person_project_weeks(model: HoursModel) -> str:
    """Sums of entries; amounts are exact, and rounded once for each row, not for each entry."""
    seconds = "CASE WHEN e.billable THEN e.seconds ELSE 0 END"
    sums = (
        "SELECT e.source, e.person_key, e.project_key, e.client_key, "
        "CAST(date_trunc('week', e.day) AS DATE) AS week, e.currency, "
        f"CAST(sum(e.seconds) AS {SECONDS}) AS worked_seconds, "
        f"CAST(sum({seconds}) AS {SECONDS}) AS billable_seconds, "
        # ten-thousandths of money, times 3600
        f"CAST(coalesce(sum({seconds} * e.rate), 0) * 10000 AS {SECONDS}) AS parts "
        f"FROM {_table('time_entries')} AS e WHERE e.seconds IS NOT NULL "
        "GROUP BY e.source, e.person_key, e.project_key, e.client_key, "
        "CAST(date_trunc('week', e.day) AS DATE), e.currency"
    )
    # whole numbers only: the same on every database
    whole = "CAST((s.parts + 1800 - (s.parts + 1800) % 3600) / 3600 AS BIGINT)"
    return (
        "SELECT s.source, s.person_key, s.project_key, s.client_key, s.week, s.currency, "
        f"s.worked_seconds, s.billable_seconds, CAST({whole} * 0.0001 AS {MONEY}) AS amount "
        f"FROM ({sums}) AS s"
    )
