"""Are time entries plausible: their durations, spans and days, and what else goes on meanwhile?"""

from __future__ import annotations

from timetracking_assets.hours.checks.check import Context, Finding, sampled, table_of
from timetracking_assets.warehouse.base import literal, quoted

MAX_HOURS = 24
"""An entry of more hours is too long."""
SPAN_TOLERANCE = 60
"""Seconds by which a duration may differ from its span: some APIs round, some leave breaks out."""

_ENTRY = ("source", "source_id", "person_key", "day", "seconds")


def _entries(context: Context, condition: str, text: str, order: str = "f.day DESC") -> Finding:
    columns = ", ".join(f"e.{quoted(name)}" for name in _ENTRY)
    return sampled(
        context,
        f"SELECT {columns} FROM {table_of('time_entries')} AS e "
        f"WHERE {context.of_source('e')} AND ({condition})",
        _ENTRY,
        text,
        f"{order}, f.source_id",
    )


def durations(context: Context, _: str) -> Finding:
    """Time entries whose duration can't be true, or that have none."""
    return _entries(
        context,
        f"e.seconds < 0 OR e.seconds > {MAX_HOURS * 3600} OR (e.seconds IS NULL AND NOT e.running)",
        f"{{count}} time entries have a negative duration, one of more than {MAX_HOURS} hours, or "
        "none",
        "f.seconds DESC",
    )


def spans(context: Context, _: str) -> Finding:
    """Time entries that are longer or shorter than the time from their start to their end."""
    return _entries(
        context,
        f"abs(e.seconds - (epoch(e.ended_at) - epoch(e.started_at))) >= {SPAN_TOLERANCE}",
        "{count} time entries last longer or shorter than the time between their start and end",
    )


def running(context: Context, _: str) -> Finding:
    """Timers that nobody has stopped."""
    return _entries(
        context,
        "e.running",
        "{count} timers are running: their hours are counted when they have ended",
    )


def midnight(context: Context, _: str) -> Finding:
    """Time entries that end on another day."""
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


def overlaps(context: Context, _: str) -> Finding:
    """Time entries that begin before the person's last one has ended."""
    columns = ", ".join(f"e.{quoted(name)}" for name in (*_ENTRY, "started_at", "entry_key"))
    before = (
        "max(e.ended_at) OVER (PARTITION BY e.source, e.person_key ORDER BY e.started_at, "
        "e.ended_at, e.entry_key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    sql = (
        f"SELECT {columns} FROM (SELECT e.*, {before} AS busy_until "
        f"FROM {table_of('time_entries')} AS e "
        f"WHERE {context.of_source('e')} AND e.ended_at > e.started_at) AS e "
        "WHERE e.busy_until > e.started_at"
    )
    meanwhile = (
        f"(SELECT min(o.source_id) FROM {table_of('time_entries')} AS o "
        "WHERE o.source = f.source AND o.person_key IS NOT DISTINCT FROM f.person_key "
        "AND o.entry_key <> f.entry_key "
        "AND o.started_at <= f.started_at AND o.ended_at > f.started_at)"
    )
    return sampled(
        context,
        sql,
        _ENTRY,
        "{count} time entries begin before another of the same person and API has ended",
        "f.day DESC, f.source_id",
        more={"other_id": meanwhile},
    )


def same_work(context: Context, _: str) -> Finding:
    """One person, day, and length in two APIs, with one start or one note."""
    entries, parts = table_of("time_entries"), []
    for same in ("e.started_at", "nullif(trim(e.note), '')"):
        piece = (
            f"SELECT e.person_key, e.day, e.seconds, {same} AS same, e.source, e.entry_key "
            f"FROM {entries} AS e WHERE e.seconds > 0 AND {same} IS NOT NULL"
        )
        # few groups are in two APIs: the keys of the others need no sorting
        twice = (
            f"SELECT p.person_key, p.day, p.seconds, p.same FROM ({piece}) AS p "
            "GROUP BY p.person_key, p.day, p.seconds, p.same HAVING min(p.source) <> max(p.source)"
        )
        parts.append(
            "SELECT p.person_key, p.day, p.seconds, count(*) AS n, "
            f"string_agg(p.entry_key, ', ' ORDER BY p.entry_key) AS entries FROM ({piece}) AS p "
            f"JOIN ({twice}) AS g ON g.person_key = p.person_key AND g.day = p.day "
            "AND g.seconds = p.seconds AND g.same = p.same "
            "GROUP BY p.person_key, p.day, p.seconds, p.same"
        )
    head = ("person_key", "day", "seconds", "n", "entries")
    text = "{count} pieces of work seem to be in two APIs: their hours count twice"
    return sampled(context, " UNION ".join(parts), head, text, "f.day DESC, f.entries")
