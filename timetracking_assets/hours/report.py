"""Hours by week, person, project, client or source, read from the sums of the model.

Everything is summed in SQL. How it is printed is in `cli/hours.py`, how it is drawn in `health/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from timetracking_assets.errors import WarehouseError
from timetracking_assets.hours.tables import MARTS, SCHEMA, TABLES
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted

By = Literal["person", "week", "project", "client", "source", "person-week", "project-week"]
NOBODY = "(none)"
LAST_DUE = (
    "(SELECT least(max(w.day), current_date - 1) "
    f"FROM {quoted(SCHEMA, 'person_days')} AS w WHERE w.worked_seconds > 0)"
)
"""SQL: the last day whose hours are due. Today's are not yet, nor those of days that no API has
recorded anything of."""
_NAMED = {"person": "people", "project": "projects", "client": "clients"}
_TIMES = ("worked", "billable", "capacity", "absent", "available", "planned")


@dataclass(frozen=True)
class Selection:
    """Which hours: days from `first` to `last`, and parts of names or keys, whatever their case."""

    first: date | None = None
    last: date | None = None
    person: str = ""
    project: str = ""
    client: str = ""
    source: str = ""

    @property
    def of_entries_only(self) -> bool:
        """Whether it selects by something that capacity, absences and plans don't have."""
        return bool(self.project or self.client or self.source)


@dataclass(frozen=True)
class Line:
    """Seconds of one week, person, project, client or source, or of one of them in a `week`.

    `key` is that of the model, `label` its name; the key is part of it where others have that name.
    Capacity, absence and plans are None where they belong to nobody in particular: to a project,
    for example. `due_days` are the working days of which hours are due, `missing_days` those of
    them without any. `amounts`: money by currency, of sums by week only.
    """

    label: str
    worked: int
    billable: int
    capacity: int | None = None
    absent: int | None = None
    available: int | None = None
    planned: int | None = None
    missing_days: int | None = None
    due_days: int | None = None
    amounts: tuple[tuple[str, float], ...] = ()
    key: str | None = None
    week: date | None = None

    @property
    def utilisation(self) -> float | None:
        """Billable of available."""
        return self.billable / self.available if self.available else None

    @property
    def billable_share(self) -> float | None:
        """Billable of worked."""
        return self.billable / self.worked if self.worked else None


def is_built(opened: OpenWarehouse) -> bool:
    """Whether the warehouse has the sums of the model."""
    return all(opened.column_types(SCHEMA, name) for name in MARTS)


def require_built(opened: OpenWarehouse) -> None:
    """Raise WarehouseError if the sums, or the names to them, can't be read."""
    build = f"materialize the assets of the group `{SCHEMA}`"
    if not is_built(opened):
        raise WarehouseError(f"the model of hours has not been built yet: {build}")
    for name in (*MARTS, *_NAMED.values()):
        existing = opened.column_types(SCHEMA, name)
        missing = [column for column in TABLES[name].column_names if column not in existing]
        if missing:
            raise WarehouseError(
                f"the table {SCHEMA}.{name} of the model lacks {', '.join(missing)}: {build}"
            )


def read_lines(opened: OpenWarehouse, by: By, chosen: Selection) -> list[Line]:
    """A line for each week, person, ..., the oldest week or most hours first.

    Days count one by one where people's days are selected; projects, clients and sources are known
    by week: there a week counts if its Monday does. Raises WarehouseError if the model has not been
    built.
    """
    require_built(opened)
    of, _, per_week = by.partition("-")
    if of in ("week", "person") and not chosen.of_entries_only:
        lines = _of_days(opened, of, bool(per_week), chosen)
    else:
        lines = _of_weeks(opened, of, bool(per_week), chosen)
    return sorted(lines, key=lambda line: (line.week or date.min, *_rank(of, line), line.label))


def sources(opened: OpenWarehouse) -> set[str]:
    """The APIs that the sums have hours of."""
    table = quoted(SCHEMA, "person_project_weeks")
    return {str(source) for (source,) in opened.rows(f"SELECT DISTINCT source FROM {table}")}


def total(lines: Collection[Line]) -> Line:
    """What the lines come to; None for what not all of them have."""
    money: dict[str, float] = {}
    for line in lines:
        for currency, amount in line.amounts:
            money[currency] = money.get(currency, 0) + amount

    def known(name: str) -> int | None:
        values = [getattr(line, name) for line in lines]
        return None if None in values else sum(values)

    return Line(
        "all",
        worked=sum(line.worked for line in lines),
        billable=sum(line.billable for line in lines),
        capacity=known("capacity"),
        absent=known("absent"),
        available=known("available"),
        planned=known("planned"),
        missing_days=known("missing_days"),
        due_days=known("due_days"),
        amounts=tuple(sorted(money.items())),
    )


def names(opened: OpenWarehouse, of: str) -> dict[str, str]:
    """Key -> name of all people, projects or clients (`person`, `project`, `client`); names that
    several have get their key."""
    table = _NAMED[of]
    rows = opened.rows(f"SELECT {quoted(f'{of}_key')}, name FROM {quoted(SCHEMA, table)}")
    often = Counter(name for _, name in rows)
    return {key: f"{name} ({key})" if often[name] > 1 else name for key, name in rows if name}


def _rank(of: str, line: Line) -> tuple[int]:
    return (0,) if of == "week" else (-line.worked,)


def _of_days(opened: OpenWarehouse, of: str, per_week: bool, chosen: Selection) -> list[Line]:
    week = _week("d.day")
    grouped = [week] if of == "week" else ["d.person_key", *([week] if per_week else [])]
    conditions = [*_between("d.day", chosen), *_like("p.name", "d.person_key", chosen.person)]
    sums = ", ".join(f"sum(d.{name}_seconds)" for name in _TIMES)
    due = f"d.available_seconds > 0 AND d.day <= {LAST_DUE}"
    rows = opened.rows(
        f"SELECT {', '.join(grouped)}, {sums}, "
        f"sum(CASE WHEN {due} AND d.worked_seconds = 0 THEN 1 ELSE 0 END), "
        f"sum(CASE WHEN {due} THEN 1 ELSE 0 END) "
        f"FROM {quoted(SCHEMA, 'person_days')} AS d "
        f"LEFT JOIN {quoted(SCHEMA, 'people')} AS p ON p.person_key = d.person_key "
        f"{_where(conditions)} GROUP BY {', '.join(grouped)}"
    )
    known = names(opened, "person") if of == "person" else {}
    lines = []
    for row in rows:
        worked, billable, capacity, absent, available, planned, missing, due_days = map(
            int, row[-8:]
        )
        label, key = _label(row[0], known)
        lines.append(
            Line(
                label,
                worked,
                billable,
                capacity,
                absent,
                available,
                planned,
                missing,
                due_days,
                key=key if of == "person" else None,
                week=row[1] if per_week else None,
            )
        )
    return lines


def _of_weeks(opened: OpenWarehouse, of: str, per_week: bool, chosen: Selection) -> list[Line]:
    column = f"w.{of}_key" if of in _NAMED else f"w.{of}"
    grouped = [column, *(["w.week"] if per_week else [])]
    conditions = [
        *_between("w.week", chosen),
        *_like("p.name", "w.person_key", chosen.person),
        *_like("j.name", "w.project_key", chosen.project),
        *_like("c.name", "w.client_key", chosen.client),
        *_like("w.source", "w.source", chosen.source),
    ]
    rows = opened.rows(
        f"SELECT {', '.join(grouped)}, w.currency, sum(w.worked_seconds), "
        f"sum(w.billable_seconds), sum(w.amount) "
        f"FROM {quoted(SCHEMA, 'person_project_weeks')} AS w "
        f"LEFT JOIN {quoted(SCHEMA, 'people')} AS p ON p.person_key = w.person_key "
        f"LEFT JOIN {quoted(SCHEMA, 'projects')} AS j ON j.project_key = w.project_key "
        f"LEFT JOIN {quoted(SCHEMA, 'clients')} AS c ON c.client_key = w.client_key "
        f"{_where(conditions)} GROUP BY {', '.join(grouped)}, w.currency ORDER BY w.currency"
    )
    known = names(opened, of) if of in _NAMED else {}
    seconds: dict[tuple[Any, ...], list[int]] = {}
    amounts: dict[tuple[Any, ...], list[tuple[str, float]]] = {}
    for row in rows:
        *group, currency, worked, billable, amount = row
        sums = seconds.setdefault(tuple(group), [0, 0])
        sums[0] += int(worked)
        sums[1] += int(billable)
        if amount:
            amounts.setdefault(tuple(group), []).append((str(currency), float(amount)))
    lines = []
    for place, (worked, billable) in seconds.items():
        label, key = _label(place[0], known)
        lines.append(
            Line(
                label,
                worked,
                billable,
                amounts=tuple(amounts.get(place, ())),
                key=key if of in _NAMED else None,
                week=place[1] if per_week else None,
            )
        )
    return lines


def _week(day: str) -> str:
    return f"CAST(date_trunc('week', {day}) AS DATE)"


def _label(value: object, known: Mapping[str, str]) -> tuple[str, str | None]:
    """The name, and the key; an entry may name nobody."""
    if value is None:
        return NOBODY, None
    return known.get(str(value), str(value)), str(value)


def _between(column: str, chosen: Selection) -> list[str]:
    bounds = ((">=", chosen.first), ("<=", chosen.last))
    return [f"{column} {sign} DATE {literal(day.isoformat())}" for sign, day in bounds if day]


def _like(name: str, key: str, text: str) -> list[str]:
    if not text:
        return []
    part = literal(text.lower())
    return [f"(strpos(lower({name}), {part}) > 0 OR strpos(lower({key}), {part}) > 0)"]


def _where(conditions: list[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""
