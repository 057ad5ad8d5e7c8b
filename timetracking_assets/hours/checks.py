"""Questions about the model: is it the raw tables', to the second, and are its rows plausible?

Each gives a finding that names sources, ids and seconds. Whether a finding stops what is built on
the table is decided here, too; how Dagster shows it is in `orchestration/hours/`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from timetracking_assets.hours.conversions import null
from timetracking_assets.hours.mapping import Mapped, Types
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.rows import Rows
from timetracking_assets.hours.shapes import SECONDS, TEXT
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.spec.unified import values
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted

MAX_HOURS = 24
"""An entry of more hours is too long."""
SPAN_TOLERANCE = 60
"""Seconds by which a duration may differ from its span: some APIs round, some leave breaks out."""
_SAMPLE = 10


@dataclass(frozen=True)
class Finding:
    """What a check came to: `rows` are lines of a table whose columns are `head`, the worst first.

    `count`: all that the check counted, of which `rows` is a part.
    """

    count: int = 0
    text: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    facts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What checks ask: the open warehouse, the model, the raw tables' columns, and which raw tables
    (API, resource) have ever been loaded."""

    opened: OpenWarehouse
    model: HoursModel
    types: Types
    loaded: Collection[tuple[str, str]] = ()


@dataclass(frozen=True)
class Check:
    """A check of a table. A failed one that is blocking keeps what reads the table from being
    built."""

    table: str
    name: str
    blocking: bool
    description: str
    ask: Callable[[Context, str], Finding]


def checks_of(model: HoursModel) -> list[Check]:
    """All checks of the model, in the order of its tables."""
    checks: list[Check] = []
    for name, table in TABLES.items():
        if table.mapping:
            checks.append(
                Check(
                    name,
                    "keys_unique",
                    True,
                    f"No two rows have the same {', '.join(table.key)}.",
                    _keys_unique,
                )
            )
        if name in LINKS:
            checks.append(
                Check(
                    name,
                    "references_resolve",
                    False,
                    "Each person, project, client, task and plan that a row names exists.",
                    _references_resolve,
                )
            )
        if any(_mapped_words(item) for item in model.mapped(table)):
            checks.append(
                Check(
                    name,
                    "words_known",
                    False,
                    "Every word of the API has its meaning in `unified`; one that hasn't gives no "
                    "value.",
                    _words_known,
                )
            )
        checks += [Check(name, *rest) for rest in _OF_TABLES.get(name, ())]
    return checks


def _table(name: str) -> str:
    return quoted(SCHEMA, name)


def _sampled(
    context: Context,
    sql: str,
    head: tuple[str, ...],
    text: str,
    order: str,
    facts: dict[str, int] | None = None,
) -> Finding:
    """A finding of the rows that `sql` gives."""
    count = context.opened.number(f"SELECT count(*) FROM ({sql}) AS f")
    rows: list[tuple[Any, ...]] = []
    if count:
        columns = ", ".join(f"f.{quoted(name)}" for name in head)
        rows = context.opened.rows(
            f"SELECT {columns} FROM ({sql}) AS f ORDER BY {order} LIMIT {_SAMPLE}"
        )
    return Finding(count, text.format(count=count) if count else "", head, tuple(rows), facts or {})


def _keys_unique(context: Context, table: str) -> Finding:
    keys = TABLES[table].key
    names = ", ".join(f"t.{quoted(key)}" for key in keys)
    null_key = " OR ".join(f"t.{quoted(key)} IS NULL" for key in keys)
    sql = (
        f"SELECT {names}, count(*) AS n FROM {_table(table)} AS t GROUP BY {names} "
        f"HAVING count(*) > 1 OR {null_key}"
    )
    return _sampled(
        context, sql, (*keys, "n"), f"{{count}} keys of {table} are not unique", "f.n DESC"
    )


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


def _references_resolve(context: Context, table: str) -> Finding:
    seconds = "t.seconds" if table == "time_entries" else null(SECONDS)
    lost = " UNION ALL ".join(
        f"SELECT t.source, {literal(column)} AS column_name, t.{quoted(column)} AS value, "
        f"count(*) AS n, sum({seconds}) AS seconds, min(t.source_id) AS first_id "
        f"FROM {_table(table)} AS t WHERE t.{quoted(column)} IS NOT NULL AND NOT EXISTS "
        f"(SELECT 1 FROM {_table(target)} AS o WHERE o.{quoted(column)} = t.{quoted(column)}) "
        f"GROUP BY t.source, t.{quoted(column)}"
        for column, target in LINKS[table].items()
    )
    return _sampled(
        context,
        lost,
        ("source", "column_name", "value", "n", "seconds", "first_id"),
        f"{{count}} keys in {table} lead nowhere",
        "f.n DESC, f.source, f.value",
    )


def _mapped_words(mapped: Mapped) -> list[tuple[str, Any]]:
    return [(".".join(map(str, w)), v) for w, _, v in values(mapped.mapping) if v.map is not None]


def _words_known(context: Context, table: str) -> Finding:
    parts = []
    for mapped in context.model.mapped(TABLES[table]):
        for key, value in _mapped_words(mapped):
            rows = Rows(mapped, context.types)
            word = rows.unknown_word(value) if rows.there else None
            if word:
                id_sql = rows.local_id
                parts.append(
                    f"SELECT {literal(mapped.api.name)} AS source, {literal(key)} AS key, "
                    f"{word[0]} AS word, count(*) AS n, CAST(min({id_sql}) AS {TEXT}) AS first_id "
                    f"FROM {rows.source()} WHERE {word[1]} GROUP BY {word[0]}"
                )
    if not parts:
        return Finding()
    return _sampled(
        context,
        " UNION ALL ".join(parts),
        ("source", "key", "word", "n", "first_id"),
        f"{{count}} words of {table} have no meaning in `unified`: add each to its `map`",
        "f.n DESC, f.source, f.word",
    )


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
    for mapped in context.model.mapped(TABLES[table]):
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

    model = f"SELECT m.source, m.source_id, {of_model} AS measure FROM {_table(table)} AS m"
    joined = (
        "SELECT coalesce(r.source, u.source) AS source, coalesce(r.source_id, u.source_id) AS id, "
        "CASE WHEN u.n IS NULL THEN 'missing' WHEN r.n IS NULL THEN 'extra' "
        "WHEN r.n <> u.n THEN 'multiplied' "
        "WHEN r.measure IS DISTINCT FROM u.measure THEN 'different' END AS problem, "
        f"r.measure AS {quoted(f'{measure}_in')}, u.measure AS {quoted(f'{measure}_out')} "
        f"FROM {grouped(union)} AS r FULL JOIN {grouped(model)} AS u "
        "ON u.source = r.source AND u.source_id = r.source_id"
    )
    [[rows_in, rows_out, total_in, total_out]] = context.opened.rows(
        f"SELECT (SELECT count(*) FROM ({union}) AS u), (SELECT count(*) FROM {_table(table)}), "
        f"(SELECT coalesce(sum(measure), 0) FROM ({union}) AS u), "
        f"(SELECT coalesce(sum(measure), 0) FROM ({model}) AS u)"
    )
    return _sampled(
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


def _hours_in_and_out(context: Context, table: str) -> Finding:
    return _compared(context, table, "seconds", lambda rows, _: rows.seconds_worked(), "m.seconds")


def _days_in_and_out(context: Context, table: str) -> Finding:
    span = f"CAST(m.last_day - m.first_day + 1 AS {SECONDS})"
    return _compared(context, table, "days", _raw_days, span)


def _mart_equals_entries(context: Context, table: str) -> Finding:
    period = "day" if table == "person_days" else "week"
    of_entry = "e.day" if period == "day" else "CAST(date_trunc('week', e.day) AS DATE)"

    def grouped(relation: str, at: str, worked: str, billable: str) -> str:
        person = "coalesce(e.person_key, '')"
        at = f"coalesce({at}, DATE '0001-01-01')"
        return (
            f"(SELECT {person} AS person_key, {at} AS at, "
            f"CAST(sum({worked}) AS {SECONDS}) AS worked, "
            f"CAST(sum({billable}) AS {SECONDS}) AS billable FROM {relation} AS e "
            f"GROUP BY {person}, {at})"
        )

    entries = grouped(
        _table("time_entries"),
        of_entry,
        "coalesce(e.seconds, 0)",
        "CASE WHEN e.billable THEN coalesce(e.seconds, 0) ELSE 0 END",
    )
    mart = grouped(_table(table), f"e.{period}", "e.worked_seconds", "e.billable_seconds")
    sql = (
        "SELECT coalesce(a.person_key, b.person_key) AS person_key, coalesce(a.at, b.at) AS "
        f"{quoted(period)}, coalesce(a.worked, 0) AS entries_seconds, "
        "coalesce(b.worked, 0) AS mart_seconds, coalesce(a.billable, 0) AS entries_billable, "
        f"coalesce(b.billable, 0) AS mart_billable FROM {entries} AS a FULL JOIN {mart} AS b "
        "ON b.person_key = a.person_key AND b.at = a.at "
        "WHERE coalesce(a.worked, 0) <> coalesce(b.worked, 0) "
        "OR coalesce(a.billable, 0) <> coalesce(b.billable, 0)"
    )
    head = ("person_key", period, "entries_seconds", "mart_seconds")
    text = f"{{count}} persons' {period}s in {table} are not the sum of their entries"
    return _sampled(
        context, sql, (*head, "entries_billable", "mart_billable"), text, "f.person_key"
    )


def _sources_present(context: Context, table: str) -> Finding:
    lost = [
        raw
        for raw in context.model.all_raw_tables()
        if raw in context.loaded and not context.types(*raw)
    ]
    rows = context.opened.rows(
        f"SELECT t.source, count(*) FROM {_table(table)} AS t GROUP BY t.source ORDER BY t.source"
    )
    names = ", ".join(".".join(raw) for raw in lost)
    return Finding(
        len(lost),
        f"Tables that were loaded are gone, and their rows with them: {names}. Materialize their "
        "assets again."
        if lost
        else "",
        ("source", "resource"),
        tuple(lost),
        {f"rows_{source}": int(count) for source, count in rows},
    )


_ENTRY = ("source", "source_id", "person_key", "day", "seconds")


def _entries(context: Context, condition: str, text: str, order: str = "e.day DESC") -> Finding:
    columns = ", ".join(f"e.{quoted(name)}" for name in _ENTRY)
    return _sampled(
        context,
        f"SELECT {columns} FROM {_table('time_entries')} AS e WHERE {condition}",
        _ENTRY,
        text,
        order.replace("e.", "f."),
    )


def _durations(context: Context, _: str) -> Finding:
    return _entries(
        context,
        f"e.seconds < 0 OR e.seconds > {MAX_HOURS * 3600} OR (e.seconds IS NULL AND NOT e.running)",
        f"{{count}} time entries have a negative duration, one of more than {MAX_HOURS} hours, or "
        "none",
        "e.seconds DESC",
    )


def _spans(context: Context, _: str) -> Finding:
    return _entries(
        context,
        f"abs(e.seconds - (epoch(e.ended_at) - epoch(e.started_at))) >= {SPAN_TOLERANCE}",
        "{count} time entries last longer or shorter than the time between their start and end",
    )


def _running(context: Context, _: str) -> Finding:
    return _entries(
        context,
        "e.running",
        "{count} timers are running: their hours are counted when they have ended",
    )


def _midnight(context: Context, _: str) -> Finding:
    zone = literal(context.model.spec.timezone)
    days = [
        f"CAST({instant} AT TIME ZONE {zone} AS DATE)"
        for instant in ("e.started_at", "(e.ended_at - INTERVAL '1 second')")
    ]
    return _entries(
        context,
        f"e.ended_at > e.started_at AND {days[1]} > {days[0]}",
        "{count} time entries go over midnight: all their seconds are those of the first day",
    )


def _overlaps(context: Context, _: str) -> Finding:
    columns = ", ".join(f"e.{quoted(name)}" for name in _ENTRY)
    before = (
        "max(e.ended_at) OVER (PARTITION BY e.source, e.person_key ORDER BY e.started_at, "
        "e.ended_at, e.entry_key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    sql = (
        f"SELECT {columns} FROM (SELECT e.*, {before} AS busy_until "
        f"FROM {_table('time_entries')} AS e WHERE e.ended_at > e.started_at) AS e "
        "WHERE e.busy_until > e.started_at"
    )
    text = "{count} time entries begin before another of the same person and API has ended"
    return _sampled(context, sql, _ENTRY, text, "f.day DESC")


def _same_work(context: Context, _: str) -> Finding:
    """One person, day, and length in two APIs, with one start or one note."""
    parts = [
        "SELECT e.person_key, e.day, e.seconds, count(*) AS n, "
        "string_agg(e.entry_key, ', ' ORDER BY e.entry_key) AS entries "
        f"FROM {_table('time_entries')} AS e WHERE e.seconds > 0 AND {same} IS NOT NULL "
        f"GROUP BY e.person_key, e.day, e.seconds, {same} HAVING count(DISTINCT e.source) > 1"
        for same in ("e.started_at", "nullif(trim(e.note), '')")
    ]
    head = ("person_key", "day", "seconds", "n", "entries")
    text = "{count} pieces of work seem to be in two APIs: their hours count twice"
    return _sampled(context, " UNION ".join(parts), head, text, "f.day DESC")


def _people_matched(context: Context, table: str) -> Finding:
    return _sampled(
        context,
        "SELECT t.source, t.source_id, t.name, t.person_key FROM "
        f"{_table(table)} AS t WHERE t.matched_by = 'unmatched'",
        ("source", "source_id", "name", "person_key"),
        "{count} accounts have no e-mail address and no entry in `identity`: each is a person of "
        "its own",
        "f.source, f.source_id",
    )


_Rest = tuple[str, bool, str, Callable[[Context, str], Finding]]
_OF_TABLES: dict[str, Sequence[_Rest]] = {
    "people_in_sources": (
        ("people_matched", False, "Each account is matched with a person.", _people_matched),
    ),
    "time_entries": (
        (
            "hours_in_equal_hours_out",
            True,
            "The model has each time entry of the raw tables once, with its seconds.",
            _hours_in_and_out,
        ),
        (
            "sources_present",
            False,
            "Each raw table that has been loaded is in the warehouse.",
            _sources_present,
        ),
        ("no_overlaps", False, "Nobody does two things at a time in one API.", _overlaps),
        (
            "durations_plausible",
            False,
            f"Durations are there, not negative, and at most {MAX_HOURS} hours.",
            _durations,
        ),
        ("durations_match_spans", False, "Durations are the time from start to end.", _spans),
        ("no_running_timers", False, "All timers have been stopped.", _running),
        ("no_entries_over_midnight", False, "Entries end on the day they began on.", _midnight),
        ("no_work_twice", False, "No work is in two APIs.", _same_work),
    ),
    "absences": (
        (
            "days_in_equal_days_out",
            False,
            "The model has each absence of the raw tables once for each person, with its days.",
            _days_in_and_out,
        ),
    ),
    "plans": (
        (
            "days_in_equal_days_out",
            False,
            "The model has each plan of the raw tables once, with its days.",
            _days_in_and_out,
        ),
    ),
    **dict.fromkeys(
        ("person_days", "person_project_weeks"),
        (
            (
                "hours_equal_entries",
                True,
                "Worked and billable seconds are those of the time entries.",
                _mart_equals_entries,
            ),
        ),
    ),
}
