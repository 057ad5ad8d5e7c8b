"""Is the model the raw tables', row by row and to the second, and are its sums the rows'?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from timetracking_assets.hours.checks.check import Context, Finding, sampled, table_of
from timetracking_assets.hours.conversions import null
from timetracking_assets.hours.rows import Rows
from timetracking_assets.hours.shapes import SECONDS, TEXT
from timetracking_assets.warehouse.base import literal, quoted

MOST_ENTRIES = 5
"""Entries that are named for a sum that is wrong."""


def _raw_days(rows: Rows, mapping: Any) -> str:
    first, last = (rows.value(day, "date") for day in (mapping.first_day, mapping.last_day))
    return f"CAST(coalesce({last}, {first}) - {first} + 1 AS {SECONDS})"


def _compared(
    context: Context,
    table: str,
    measure: str,
    of_raw: Callable[[Rows, Any], str],
    of_model: str,
) -> Finding:
    """Raw rows and the model's, joined by id: what is missing, extra, multiplied or different.

    The raw side has none of the joins that the model has.
    """
    raw = []
    for mapped in context.mapped(table):
        rows = Rows(mapped, context.types)
        if rows.there:
            value, local_id = of_raw(rows, mapped.mapping), rows.local_id
            raw.append(
                f"SELECT {literal(mapped.api.name)} AS source, {local_id} AS source_id, "
                f"{value} AS measure FROM {rows.source()}"
            )
    union = " UNION ALL ".join(raw) or (
        f"SELECT {null(TEXT)} AS source, {null(TEXT)} AS source_id, {null(SECONDS)} AS measure "
        "WHERE false"
    )

    def grouped(relation: str) -> str:
        return (
            "(SELECT g.source, g.source_id, count(*) AS n, "
            f"CAST(sum(g.measure) AS {SECONDS}) AS measure FROM ({relation}) AS g "
            "GROUP BY g.source, g.source_id)"
        )

    model = (
        f"SELECT m.source, m.source_id, {of_model} AS measure FROM {table_of(table)} AS m "
        f"WHERE {context.of_source('m')}"
    )
    joined = (
        "SELECT coalesce(r.source, u.source) AS source, coalesce(r.source_id, u.source_id) AS id, "
        "CASE WHEN u.n IS NULL THEN 'missing' WHEN r.n IS NULL THEN 'extra' "
        "WHEN r.n <> u.n THEN 'multiplied' "
        "WHEN r.measure IS DISTINCT FROM u.measure THEN 'different' END AS problem, "
        f"r.measure AS {quoted(f'{measure}_in')}, u.measure AS {quoted(f'{measure}_out')} "
        f"FROM {grouped(union)} AS r FULL JOIN {grouped(model)} AS u "
        "ON u.source = r.source AND u.source_id = r.source_id"
    )
    [[rows_in, rows_out, total_in, total_out]] = context.rows(
        "SELECT r.n, u.n, r.total, u.total FROM "
        f"(SELECT count(*) AS n, coalesce(sum(measure), 0) AS total FROM ({union}) AS a) AS r "
        "CROSS JOIN "
        f"(SELECT count(*) AS n, coalesce(sum(measure), 0) AS total FROM ({model}) AS b) AS u",
        "sums",
    )
    return sampled(
        context,
        f"SELECT * FROM ({joined}) AS j WHERE j.problem IS NOT NULL",
        ("source", "problem", "id", f"{measure}_in", f"{measure}_out"),
        f"{{count}} rows of {table} are not those of the raw tables",
        "f.source, f.problem, f.id",
        {
            "rows_in": int(rows_in),
            "rows_out": int(rows_out),
            f"{measure}_in": int(total_in),
            f"{measure}_out": int(total_out),
        },
    )


def hours_in_and_out(context: Context, table: str) -> Finding:
    """Time entries of the raw tables and of the model that differ."""
    return _compared(context, table, "seconds", lambda rows, _: rows.seconds_worked(), "m.seconds")


def days_in_and_out(context: Context, table: str) -> Finding:
    """Absences or plans of the raw tables and of the model that differ."""
    span = f"CAST(m.last_day - m.first_day + 1 AS {SECONDS})"
    return _compared(context, table, "days", _raw_days, span)


def mart_equals_entries(context: Context, table: str) -> Finding:
    """Sums that are not those of the entries."""
    by_day = table == "person_days"
    period = "day" if by_day else "week"
    keys = ("person_key",) if by_day else ("source", "person_key", "project_key")
    entry_at = "e.day" if by_day else "CAST(date_trunc('week', e.day) AS DATE)"

    # nulls are compared as empty text, or as a day on which nobody works
    def key(name: str) -> str:
        return f"coalesce(e.{name}, '')"

    def at(day: str) -> str:
        return f"coalesce({day}, DATE '0001-01-01')"

    def grouped(relation: str, day: str, worked: str, billable: str) -> str:
        names = ", ".join(f"{key(name)} AS {name}" for name in keys)
        return (
            f"(SELECT {names}, {at(day)} AS at, "
            f"CAST(sum({worked}) AS {SECONDS}) AS worked, "
            f"CAST(sum({billable}) AS {SECONDS}) AS billable FROM {relation} AS e "
            f"GROUP BY {', '.join(map(key, keys))}, {at(day)})"
        )

    entries = grouped(
        table_of("time_entries"),
        entry_at,
        "coalesce(e.seconds, 0)",
        "CASE WHEN e.billable THEN coalesce(e.seconds, 0) ELSE 0 END",
    )
    mart = grouped(table_of(table), f"e.{period}", "e.worked_seconds", "e.billable_seconds")
    names = ", ".join(f"coalesce(a.{name}, b.{name}) AS {name}" for name in keys)
    sql = (
        f"SELECT {names}, coalesce(a.at, b.at) AS "
        f"{quoted(period)}, coalesce(a.worked, 0) AS entries_seconds, "
        "coalesce(b.worked, 0) AS mart_seconds, coalesce(a.billable, 0) AS entries_billable, "
        f"coalesce(b.billable, 0) AS mart_billable FROM {entries} AS a FULL JOIN {mart} AS b "
        f"ON {' AND '.join(f'b.{name} = a.{name}' for name in (*keys, 'at'))} "
        "WHERE coalesce(a.worked, 0) <> coalesce(b.worked, 0) "
        "OR coalesce(a.billable, 0) <> coalesce(b.billable, 0)"
    )
    same = " AND ".join(f"{key(name)} = f.{name}" for name in keys)
    of_line = (
        f"FROM {table_of('time_entries')} AS e WHERE {same} AND {at(entry_at)} = f.{quoted(period)}"
    )
    ids = f"(array_agg(e.entry_key ORDER BY e.entry_key))[1:{MOST_ENTRIES}]"
    return sampled(
        context,
        sql,
        (*keys, period, "entries_seconds", "mart_seconds", "entries_billable", "mart_billable"),
        f"{{count}} {'days' if by_day else 'weeks'} of people in {table} are not the sum of their "
        "entries",
        f"f.{quoted(period)} DESC, {', '.join(f'f.{name}' for name in keys)}",
        more={
            "n": f"(SELECT count(*) {of_line})",
            "entries": f"(SELECT array_to_string({ids}, ', ') {of_line})",
        },
    )


def sources_present(context: Context, table: str) -> Finding:
    """Raw tables that were loaded, and are gone."""
    lost = [
        raw
        for raw in context.model.all_raw_tables()
        if raw in context.loaded and not context.types(*raw)
    ]
    rows = context.rows(
        f"SELECT t.source, count(*) FROM {table_of(table)} AS t GROUP BY t.source ORDER BY t.source"
    )
    return Finding(
        len(lost),
        "{count} tables that were loaded are gone, and their rows with them: materialize their "
        "assets again",
        ("source", "resource"),
        tuple(lost),
        {f"rows_{source}": int(count) for source, count in rows},
    )
