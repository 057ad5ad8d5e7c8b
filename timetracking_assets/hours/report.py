"""Hours by week, person, project, client or source, read from the sums of the model.

Everything is summed in SQL. How it is printed is in `cli/hours.py`, how it is drawn in `health/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from timetracking_assets.errors import WarehouseError
from timetracking_assets.hours.tables import MARTS, SCHEMA
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted

By = Literal["week", "person", "project", "client", "source"]
NOBODY = "(none)"


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
    """Seconds of one week, person, project, client or source.

    Capacity, absence and plans are None where they belong to nobody in particular: to a project,
    for example. `missing_days`: days on which somebody was available, and recorded nothing.
    `amounts`: money by currency, None where weeks are cut.
    """

    label: str
    worked: int
    billable: int
    capacity: int | None = None
    absent: int | None = None
    available: int | None = None
    planned: int | None = None
    missing_days: int | None = None
    amounts: tuple[tuple[str, float], ...] = ()

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


def read_lines(opened: OpenWarehouse, by: By, chosen: Selection) -> list[Line]:
    """A line for each week, person, ..., the oldest week or most hours first.

    Days count one by one where people's days are selected; projects, clients and sources are known
    by week: there a week counts if its Monday does. Raises WarehouseError if the model has not been
    built yet.
    """
    if not is_built(opened):
        raise WarehouseError(
            f"the model of hours has not been built yet: materialize the assets of the group "
            f"`{SCHEMA}`"
        )
    if by in ("week", "person") and not chosen.of_entries_only:
        return _of_days(opened, by, chosen)
    return _of_weeks(opened, by, chosen)


def _person(alias: str) -> str:
    # two people may have one name, and a name may be missing: the key tells them apart
    return f"coalesce(p.name || ' (' || {alias}.person_key || ')', {alias}.person_key)"


def _of_days(opened: OpenWarehouse, by: By, chosen: Selection) -> list[Line]:
    label = "CAST(date_trunc('week', d.day) AS DATE)" if by == "week" else _person("d")
    conditions = [*_between("d.day", chosen), *_like(_person("d"), "d.person_key", chosen.person)]
    last = f"(SELECT max(e.day) FROM {quoted(SCHEMA, 'time_entries')} AS e)"
    sums = ", ".join(
        f"sum(d.{name}_seconds)"
        for name in ("worked", "billable", "capacity", "absent", "available", "planned")
    )
    rows = opened.rows(
        f"SELECT {label} AS label, {sums}, sum(CASE WHEN d.available_seconds > 0 "
        f"AND d.worked_seconds = 0 AND d.day <= {last} THEN 1 ELSE 0 END) "
        f"FROM {quoted(SCHEMA, 'person_days')} AS d "
        f"LEFT JOIN {quoted(SCHEMA, 'people')} AS p ON p.person_key = d.person_key "
        f"{_where(conditions)} GROUP BY {label} ORDER BY {_order(by, 'sum(d.worked_seconds)')}"
    )
    return [
        Line(
            label=_label(label),
            worked=int(worked),
            billable=int(billable),
            capacity=int(capacity),
            absent=int(absent),
            available=int(available),
            planned=int(planned),
            missing_days=int(missing),
        )
        for label, worked, billable, capacity, absent, available, planned, missing in rows
    ]


def _of_weeks(opened: OpenWarehouse, by: By, chosen: Selection) -> list[Line]:
    labels = {
        "week": "w.week",
        "person": _person("w"),
        "project": _PROJECT,
        "client": _CLIENT,
        "source": "w.source",
    }
    label = labels[by]
    conditions = [
        *_between("w.week", chosen),
        *_like(_person("w"), "w.person_key", chosen.person),
        *_like(_PROJECT, "w.project_key", chosen.project),
        *_like(_CLIENT, "w.client_key", chosen.client),
        *_like("w.source", "w.source", chosen.source),
    ]
    source = (
        f"FROM {quoted(SCHEMA, 'person_project_weeks')} AS w "
        f"LEFT JOIN {quoted(SCHEMA, 'people')} AS p ON p.person_key = w.person_key "
        f"LEFT JOIN {quoted(SCHEMA, 'projects')} AS j ON j.project_key = w.project_key "
        f"LEFT JOIN {quoted(SCHEMA, 'clients')} AS c ON c.client_key = w.client_key "
        f"{_where(conditions)}"
    )
    rows = opened.rows(
        f"SELECT {label} AS label, sum(w.worked_seconds), sum(w.billable_seconds) {source} "
        f"GROUP BY {label} ORDER BY {_order(by, 'sum(w.worked_seconds)')}"
    )
    amounts: dict[str, list[tuple[str, float]]] = {}
    for name, currency, amount in opened.rows(
        f"SELECT {label} AS label, w.currency, sum(w.amount) {source} GROUP BY {label}, w.currency "
        "HAVING sum(w.amount) <> 0 ORDER BY w.currency"
    ):
        amounts.setdefault(_label(name), []).append((str(currency), float(amount)))
    return [
        Line(_label(name), int(worked), int(billable), amounts=tuple(amounts.get(_label(name), ())))
        for name, worked, billable in rows
    ]


_PROJECT = "coalesce(j.name || ' (' || w.project_key || ')', w.project_key)"
_CLIENT = "coalesce(c.name || ' (' || w.client_key || ')', w.client_key)"


def _label(value: object) -> str:
    return NOBODY if value is None else str(value)


def _order(by: By, worked: str) -> str:
    return "label" if by == "week" else f"{worked} DESC, label"


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
