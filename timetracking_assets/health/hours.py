"""The sums of the model of hours that the page shows: all weeks, people, projects and clients.

What they mean is described in `hours/report.py`; here they are read as the page filters them. Names
come from APIs and are hostile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from timetracking_assets.hours.report import LAST_DUE, NOBODY, names, require_built
from timetracking_assets.hours.tables import SCHEMA
from timetracking_assets.warehouse.base import OpenWarehouse, quoted

DIMENSIONS = ("person", "project", "client", "source")
_NOBODY_KEY = "-"


@dataclass(frozen=True)
class Hours:
    """The sums of the model, in seconds; weeks, names and currencies are places in their lists.

    `days`: week, person, planned, absent, available, worked, billable, then the days without hours
    and the days of which hours are due. `work`: week, person, project, client, source, worked,
    billable, currency, amount.
    """

    weeks: tuple[date, ...] = ()
    """The Mondays of the weeks, in order."""
    names: Mapping[str, tuple[tuple[str, str], ...]] | None = None
    """Key and name of each, by dimension."""
    currencies: tuple[str, ...] = ()
    days: tuple[tuple[int, ...], ...] = ()
    work: tuple[tuple[int | float, ...], ...] = ()
    last_due: date | None = None
    """The last day of which hours are due."""

    @property
    def sources(self) -> set[str]:
        """The APIs that it has hours of."""
        return {key for key, _ in (self.names or {}).get("source", ())}

    def for_script(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "weeks": [week.isoformat() for week in self.weeks],
            "names": {of: list(map(list, pairs)) for of, pairs in (self.names or {}).items()},
            "currencies": list(self.currencies),
            "days": list(map(list, self.days)),
            "work": list(map(list, self.work)),
            "lastDue": self.last_due.isoformat() if self.last_due else None,
        }


class _Places:
    """Numbers for values, in the order in which they come."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.values: dict[Any, int] = {value: number for number, value in enumerate(values)}

    def __getitem__(self, value: Any) -> int:
        return self.values.setdefault(value, len(self.values))


def read_hours(opened: OpenWarehouse) -> Hours:
    """Read them. Raises WarehouseError if the model has not been built yet."""
    require_built(opened)
    week = "CAST(date_trunc('week', d.day) AS DATE)"
    [[last_due]] = opened.rows(f"SELECT {LAST_DUE}")
    due = f"d.available_seconds > 0 AND d.day <= {LAST_DUE}"
    sums = ", ".join(
        f"sum(d.{name}_seconds)"
        for name in ("planned", "absent", "available", "worked", "billable")
    )
    days = opened.rows(
        f"SELECT {week}, d.person_key, {sums}, "
        f"sum(CASE WHEN {due} AND d.worked_seconds = 0 THEN 1 ELSE 0 END), "
        f"sum(CASE WHEN {due} THEN 1 ELSE 0 END) "
        f"FROM {quoted(SCHEMA, 'person_days')} AS d GROUP BY {week}, d.person_key"
    )
    work = opened.rows(
        "SELECT week, person_key, project_key, client_key, source, worked_seconds, "
        "billable_seconds, currency, amount "
        f"FROM {quoted(SCHEMA, 'person_project_weeks')} "
        "ORDER BY week, source, person_key, project_key, client_key"
    )
    weeks = _Places(sorted({row[0] for row in (*days, *work)}))
    places = {of: _Places() for of in DIMENSIONS}
    currencies = _Places()
    by_day = [(weeks[w], places["person"][key], *map(int, rest)) for w, key, *rest in days]
    by_work = [
        (
            weeks[row[0]],
            *(places[of][key] for of, key in zip(DIMENSIONS, row[1:5], strict=True)),
            int(row[5]),
            int(row[6]),
            currencies[str(row[7])],
            round(float(row[8]), 4),
        )
        for row in work
    ]
    known = {of: names(opened, of) for of in DIMENSIONS if of != "source"}
    return Hours(
        weeks=tuple(weeks.values),
        names={
            of: tuple(_named(key, known.get(of, {})) for key in places[of].values)
            for of in DIMENSIONS
        },
        currencies=tuple(currencies.values),
        days=tuple(sorted(by_day)),
        work=tuple(by_work),
        last_due=last_due,
    )


def _named(key: str | None, known: Mapping[str, str]) -> tuple[str, str]:
    return (_NOBODY_KEY, NOBODY) if key is None else (key, known.get(key, key))
