"""Are keys unique, does each lead to a row, and has each value of an API a meaning?"""

from __future__ import annotations

from typing import Any

from timetracking_assets.hours.checks.check import Context, Finding, sampled, table_of
from timetracking_assets.hours.conversions import null
from timetracking_assets.hours.mapping import Mapped
from timetracking_assets.hours.rows import Rows
from timetracking_assets.hours.shapes import SECONDS, TEXT
from timetracking_assets.hours.tables import TABLES
from timetracking_assets.spec.unified import values
from timetracking_assets.warehouse.base import literal, quoted


def keys_unique(context: Context, table: str) -> Finding:
    """Keys that several rows have, or that a row lacks."""
    keys = TABLES[table].key
    names = ", ".join(f"t.{quoted(key)}" for key in keys)
    null_key = " OR ".join(f"t.{quoted(key)} IS NULL" for key in keys)
    others = [key for key in keys if key != "source"]
    sql = (
        f"SELECT min(t.source) AS source, {', '.join(f't.{quoted(key)}' for key in others)}, "
        f"count(*) AS n, sum({_seconds(table)}) AS seconds FROM {table_of(table)} AS t "
        f"WHERE {context.of_source('t')} GROUP BY {names} HAVING count(*) > 1 OR {null_key}"
    )
    head = ("source", *others, "n", "seconds")
    return sampled(context, sql, head, f"{{count}} keys of {table} are not unique", "f.n DESC")


def _seconds(table: str) -> str:
    return "t.seconds" if table == "time_entries" else null(SECONDS)


LINKS: dict[str, dict[str, str]] = {
    "projects": {"client_key": "clients"},
    "tasks": {"project_key": "projects"},
    "time_entries": {
        "person_key": "people_in_sources",
        "project_key": "projects",
        "client_key": "clients",
        "task_key": "tasks",
        "plan_key": "plans",
    },
    "absences": {"person_key": "people_in_sources"},
    "plans": {
        "person_key": "people_in_sources",
        "project_key": "projects",
        "task_key": "tasks",
    },
}
"""For each table the columns that name rows of others, and where these are."""


def references_resolve(context: Context, table: str) -> Finding:
    """Keys of persons, projects, clients, tasks and plans that no row has."""
    lost = " UNION ALL ".join(
        f"SELECT t.source, {literal(column)} AS column_name, t.{quoted(column)} AS value, "
        f"count(*) AS n, sum({_seconds(table)}) AS seconds, min(t.source_id) AS first_id "
        f"FROM {table_of(table)} AS t WHERE {context.of_source('t')} "
        f"AND t.{quoted(column)} IS NOT NULL AND NOT EXISTS "
        f"(SELECT 1 FROM {table_of(target)} AS o WHERE o.{quoted(column)} = t.{quoted(column)}) "
        f"GROUP BY t.source, t.{quoted(column)}"
        for column, target in LINKS[table].items()
    )
    return sampled(
        context,
        lost,
        ("source", "column_name", "value", "n", "seconds", "first_id"),
        f"{{count}} keys in {table} lead nowhere",
        "f.n DESC, f.source, f.value",
    )


def mapped_values(mapped: Mapped) -> list[tuple[str, Any]]:
    """The values that have a `map`, by their key."""
    return [(".".join(map(str, w)), v) for w, _, v in values(mapped.mapping) if v.map is not None]


def values_known(context: Context, table: str) -> Finding:
    """Values of the API to which a `map` gives no meaning."""
    parts = []
    for mapped in context.mapped(table):
        for key, value in mapped_values(mapped):
            rows = Rows(mapped, context.types)
            unknown = rows.unknown_value(value) if rows.there else None
            if unknown:
                id_sql = rows.local_id
                seconds = rows.seconds_worked() if table == "time_entries" else null(SECONDS)
                parts.append(
                    f"SELECT {literal(mapped.api.name)} AS source, {literal(key)} AS key, "
                    f"{unknown[0]} AS value, count(*) AS n, sum({seconds}) AS seconds, "
                    f"CAST(min({id_sql}) AS {TEXT}) AS first_id "
                    f"FROM {rows.source()} WHERE {unknown[1]} GROUP BY {unknown[0]}"
                )
    if not parts:
        return Finding()
    return sampled(
        context,
        " UNION ALL ".join(parts),
        ("source", "key", "value", "n", "seconds", "first_id"),
        f"{{count}} values of {table} have no meaning in `unified`: add each to its `map`",
        "f.n DESC, f.source, f.value",
    )


def people_matched(context: Context, table: str) -> Finding:
    """Accounts that nothing tells whose they are."""
    return sampled(
        context,
        "SELECT t.source, t.source_id, t.name, t.person_key FROM "
        f"{table_of(table)} AS t WHERE t.matched_by = 'unmatched'",
        ("source", "source_id", "name", "person_key"),
        "{count} accounts have no e-mail address and no entry in `identity`: each is a person of "
        "its own",
        "f.source, f.source_id",
    )
