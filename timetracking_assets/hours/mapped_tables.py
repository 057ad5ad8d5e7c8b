"""The SQL of the tables that come from the APIs: a SELECT for each resource, and their sum."""

from __future__ import annotations

from timetracking_assets.hours.conversions import null
from timetracking_assets.hours.fields import FIELDS
from timetracking_assets.hours.mapping import Mapped, Types
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.rows import RUNNING_BELOW, Rows
from timetracking_assets.hours.shapes import NUMBER, SECONDS, TEXT
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.warehouse.base import literal, quoted


def selection(mapped: Mapped, types: Types) -> str | None:
    """The rows of one resource; None if the warehouse has no table of it."""
    rows = Rows(mapped, types)
    if not rows.there:
        return None
    columns = ", ".join(
        f"CAST({field.sql(rows, mapped.mapping)} AS {field.sql_type}) AS {quoted(field.name)}"
        for field in FIELDS[mapped.table]
    )
    return f"SELECT {columns} FROM {rows.source()}"


def all_rows(model: HoursModel, table: str, types: Types) -> str:
    """A relation with the rows of all resources that make `table`; empty and typed without any.

    Of rows for which `distinct` is true, one for each id, and none where another resource has it.
    """
    mapped = model.mapped(TABLES[table])
    selects = [sql for item in mapped if (sql := selection(item, types))]
    key = str(TABLES[table].mapping)
    if not selects:
        nulls = ", ".join(f"{null(f.sql_type)} AS {quoted(f.name)}" for f in FIELDS[key])
        return f"(SELECT {nulls} WHERE false)"
    union = " UNION ALL ".join(selects)
    if not any(item.distinct for item in mapped):
        return f"({union})"
    order = ", ".join(quoted(field.name) for field in FIELDS[key][2:])
    return (
        "(SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY source, source_id "
        f"ORDER BY {order}) AS nth FROM ({union}) AS a) AS r "
        "WHERE (nth = 1 OR NOT is_distinct) AND source_id IS NOT NULL)"
    )


def people_in_sources(model: HoursModel, types: Types) -> str:
    """Accounts with the person that each belongs to: by `identity`, by e-mail, or on its own."""
    pairs = [
        f"({literal(api)}, {literal(account)}, {literal(_address(person))})"
        for person, accounts in model.spec.identity.people.items()
        for api, ids in accounts.items()
        for account in ids
    ]
    identity = (
        f"(VALUES {', '.join(pairs)})"
        if pairs
        else (f"(SELECT {null(TEXT)}, {null(TEXT)}, {null(TEXT)} WHERE false)")
    )
    email = "nullif(lower(trim(a.email)), '')"
    facts = ", ".join(
        f"a.{quoted(column.name)}" if column.name != "email" else f"{email} AS email"
        for column in TABLES["people_in_sources"].columns[4:]
    )
    return (
        "SELECT a.source, a.source_id, "
        f"coalesce(i.person_key, {email}, a.source || ':' || a.source_id) AS person_key, "
        f"CASE WHEN i.person_key IS NOT NULL THEN 'identity' WHEN {email} IS NOT NULL "
        f"THEN 'email' ELSE 'unmatched' END AS matched_by, {facts} "
        f"FROM {all_rows(model, 'people_in_sources', types)} AS a "
        f"LEFT JOIN {identity} AS i(source, source_id, person_key) "
        "ON i.source = a.source AND i.source_id = a.source_id"
    )


def _address(person: str) -> str:
    return person.strip().lower() if "@" in person else person


def keyed(model: HoursModel, table: str, types: Types) -> str:
    """A table whose rows need nothing but a key: clients, projects, tasks, holidays."""
    columns = ", ".join(f"a.{quoted(name)}" for name in TABLES[table].column_names[1:])
    return (
        f"SELECT a.source || ':' || a.source_id AS {quoted(TABLES[table].key[0])}, {columns} "
        f"FROM {all_rows(model, table, types)} AS a"
    )


_PEOPLE = (
    f"LEFT JOIN {quoted(SCHEMA, 'people_in_sources')} AS p "
    "ON p.source = a.source AND p.source_id = a.account"
)
_PERSON = "coalesce(p.person_key, a.source || ':' || a.account) AS person_key"


def of_people(model: HoursModel, table: str, types: Types) -> str:
    """A table whose rows belong to people: absences and plans."""
    columns = ", ".join(f"a.{quoted(name)}" for name in TABLES[table].column_names[4:])
    return (
        f"SELECT a.source || ':' || a.source_id AS {quoted(TABLES[table].key[0])}, a.source, "
        f"a.source_id, {_PERSON}, {columns} FROM {all_rows(model, table, types)} AS a {_PEOPLE}"
    )


def time_entries(model: HoursModel, types: Types) -> str:
    """Time entries of all APIs, each with its person, its day and its seconds."""
    zones = "(SELECT name FROM pg_timezone_names() AS known)"
    # a zone that the warehouse doesn't know would fail the whole build
    zone = f"coalesce(ez.name, pz.name, a.partitions_zone, {literal(model.spec.timezone)})"
    seconds = (
        "CASE WHEN a.unit THEN a.stated_seconds ELSE "
        f"CAST(round(CAST(epoch(a.ended_at) - epoch(a.started_at) AS {NUMBER})) AS {SECONDS}) END"
    )
    running = (
        f"coalesce(a.stated_seconds <= {RUNNING_BELOW}, false) OR (a.started_at IS NOT NULL "
        "AND CASE WHEN a.has_end THEN a.ended_at IS NULL AND coalesce(a.stated_seconds, 0) = 0 "
        "ELSE a.stated_seconds IS NULL END)"
    )
    entries = (
        f"SELECT a.*, {_PERSON}, {running} AS running, {seconds} AS length, "
        "coalesce(a.client_key, j.client_key) AS client, "
        f"coalesce(a.day, CAST(a.started_at AT TIME ZONE {zone} AS DATE)) AS day_of_work "
        f"FROM {all_rows(model, 'time_entries', types)} AS a {_PEOPLE} "
        f"LEFT JOIN {quoted(SCHEMA, 'projects')} AS j ON j.project_key = a.project_key "
        f"LEFT JOIN {zones} AS ez ON ez.name = a.zone "
        f"LEFT JOIN {zones} AS pz ON pz.name = p.timezone"
    )
    special = {
        "entry_key": "e.source || ':' || e.source_id",
        "client_key": "e.client",
        "day": "e.day_of_work",
        "seconds": "CASE WHEN NOT e.running THEN e.length END",
        "ended_at": "CASE WHEN NOT e.running THEN e.ended_at END",
        "currency": f"coalesce(e.currency, {literal(model.spec.currency)})",
    }
    columns = ", ".join(
        f"{special.get(name, f'e.{quoted(name)}')} AS {quoted(name)}"
        for name in TABLES["time_entries"].column_names
    )
    return f"SELECT {columns} FROM ({entries}) AS e"
