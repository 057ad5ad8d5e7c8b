"""Questions about the meaning of a table's rows, asked of the warehouse: counts, never rows.

Each function asks one question of one table, for the rows of a window or for all, and gives counts.
What of them is good enough is judged where the thresholds are, in `quality_checks.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from timetracking_assets.hours.mapping import Mapped
from timetracking_assets.hours.rows import Rows
from timetracking_assets.ingest.windows import Window, in_window_sql
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import OpenWarehouse, quoted

_FEWEST_WEEKS = 3


@dataclass(frozen=True)
class DayVolume:
    """Rows of one day, and the usual number for its weekday (None: too few weeks to say)."""

    day: date
    rows: int
    usual: float | None


@dataclass(frozen=True)
class Dangling:
    """Values of one column that exist in no row of the table that they refer to.

    `target_exists` is false if that table does not exist yet.
    """

    column: str
    target: str
    rows: int
    dangling: int
    sample: tuple[str, ...]
    target_exists: bool


@dataclass(frozen=True)
class Durations:
    """Rows with a duration, those with a negative and those with too long a one; hours."""

    rows: int
    negative: int
    too_long: int
    longest_hours: float


def day_of(column: str, data_type: str, timezone: str) -> str:
    """SQL for the calendar day of a date or an instant, in a zone; `column` is quoted."""
    if data_type == "date":
        return column
    return f"CAST({column} AT TIME ZONE '{timezone}' AS DATE)"


def day_volumes(
    warehouse: OpenWarehouse, resource: Resource, window: Window, weeks: int
) -> list[DayVolume]:
    """For each day of `window` its rows, and the median of the same weekday in `weeks` before.

    Weeks without a row on that weekday don't count: nobody knows whether they were loaded.
    """
    if resource.window is None:
        return []
    first, end = window.dates
    since = first - timedelta(weeks=weeks)
    field = resource.window.field
    whole = Window.of_days(since, end, window.timezone)
    day = day_of(quoted(field), resource.columns[field].data_type, window.timezone)
    counted: dict[date, int] = {
        row[0]: row[1]
        for row in warehouse.rows(
            f"SELECT {day} AS day, count(*) FROM {quoted(resource.api, resource.name)} "
            f"WHERE {in_window_sql(resource, whole)} GROUP BY {day}"
        )
    }
    volumes = []
    for number in range((end - first).days):
        at = first + timedelta(days=number)
        before = [counted.get(at - timedelta(weeks=week), 0) for week in range(1, weeks + 1)]
        known = [rows for rows in before if rows]
        usual = median(known) if len(known) >= _FEWEST_WEEKS else None
        volumes.append(DayVolume(at, counted.get(at, 0), usual))
    return volumes


def null_shares(
    warehouse: OpenWarehouse, resource: Resource, columns: Sequence[str], window: Window | None
) -> tuple[int, dict[str, float]]:
    """The rows of `window`, and for each column the share of them that has no value."""
    counts = ", ".join(f"count(*) - count({quoted(name)})" for name in columns)
    [[rows, *nulls]] = warehouse.rows(
        f"SELECT count(*), {counts} FROM {quoted(resource.api, resource.name)} "
        f"WHERE {in_window_sql(resource, window)}"
    )
    return rows, {name: n / rows if rows else 0.0 for name, n in zip(columns, nulls, strict=True)}


def dangling(
    warehouse: OpenWarehouse,
    resource: Resource,
    column: str,
    target: Resource,
    window: Window | None,
    sample: int = 5,
) -> Dangling:
    """Rows of `window` whose `column` names no row of `target`; a row without a value names none
    and is left out."""
    reference = resource.references[column]
    key = reference.column or target.primary_key[0]
    label = f"{target.name}.{key}"
    if not warehouse.column_types(target.api, target.name):
        return Dangling(column, label, 0, 0, (), target_exists=False)
    table = quoted(resource.api, resource.name)
    named = f"{quoted(column)} IS NOT NULL AND {in_window_sql(resource, window)}"
    # as text: one API writes an id as a number here and as text there
    lost = (
        f"SELECT CAST({quoted(column)} AS VARCHAR) AS value FROM {table} WHERE {named} AND "
        f"CAST({quoted(column)} AS VARCHAR) NOT IN (SELECT CAST({quoted(key)} AS VARCHAR) FROM "
        f"{quoted(target.api, target.name)} WHERE {quoted(key)} IS NOT NULL)"
    )
    values = warehouse.rows(f"SELECT DISTINCT value FROM ({lost}) l ORDER BY value LIMIT {sample}")
    return Dangling(
        column,
        label,
        warehouse.number(f"SELECT count(*) FROM {table} WHERE {named}"),
        warehouse.number(f"SELECT count(*) FROM ({lost}) l"),
        tuple(value for (value,) in values),
        target_exists=True,
    )


def durations(
    warehouse: OpenWarehouse,
    entries: Mapped,
    max_hours: float,
    window: Window | None,
) -> Durations:
    """How many time entries of `window` have a negative duration, or one of more than `max_hours`;
    one that is running has none yet."""
    rows = Rows(entries, warehouse.column_types)
    hours = f"CAST({rows.seconds_worked()} AS DOUBLE) / 3600"
    of_window = rows.source(where=in_window_sql(entries.resource, window))
    [[number, negative, too_long, longest]] = warehouse.rows(
        "SELECT count(h), count(*) FILTER (WHERE h < 0), "
        f"count(*) FILTER (WHERE h > {max_hours}), coalesce(max(h), 0) FROM "
        f"(SELECT {hours} AS h FROM {of_window}) AS d"
    )
    return Durations(number, negative, too_long, float(longest))
