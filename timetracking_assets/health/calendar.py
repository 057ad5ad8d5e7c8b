"""Partitions as a calendar: days in weeks, and months in figures.

Only arranging belongs here; what became of a partition is in `model.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from timetracking_assets.health.model import Partition, PartitionState
from timetracking_assets.health.text import counted

WEEKS = 53
"""How many weeks the calendar shows; the months show all."""
_LEVELS = 4


@dataclass(frozen=True)
class Cell:
    """One day: its partition, and 1 to 4 for few to many rows (0: none, or not counted)."""

    day: date
    partition: Partition
    level: int

    @property
    def symbol(self) -> str:
        """A sign for those who can't tell colours apart; a loaded day needs none."""
        return {"failed": "✗", "missing": "○", "running": "…"}.get(self.partition.state, "")

    @property
    def label(self) -> str:
        """The day in words: its rows, and its state unless it is loaded and counted."""
        partition = self.partition
        if partition.rows is None:
            return f"{self.day}: {partition.state}"
        rows = counted(partition.rows, "row")
        loaded = partition.state == PartitionState.LOADED
        return f"{self.day}: {rows}" if loaded else f"{self.day}: {partition.state}, {rows}"

    @property
    def style(self) -> str:
        """The class of its cell."""
        if self.partition.state == PartitionState.LOADED:
            return f"l{self.level}"
        return self.partition.state.replace(" ", "-")


@dataclass(frozen=True)
class Month:
    """The partitions of a month (or year) in figures."""

    name: str
    loaded: int
    failed: int
    missing: int
    rows: int | None


@dataclass(frozen=True)
class Calendar:
    """`weeks` are the Mondays, `days` for Monday to Sunday the cells of each week."""

    weeks: tuple[date, ...]
    days: tuple[tuple[Cell | None, ...], ...]
    months: tuple[Month, ...]


def calendar(partitions: Sequence[Partition]) -> Calendar | None:
    """The calendar of daily partitions (keys `YYYY-MM-DD`); None for any others."""
    if not partitions or any(len(partition.key) != 10 for partition in partitions):
        return None
    last = date.fromisoformat(partitions[-1].key)
    end = _monday(last)
    begin = max(_monday(date.fromisoformat(partitions[0].key)), end - timedelta(weeks=WEEKS - 1))
    weeks = [begin + timedelta(weeks=n) for n in range((end - begin).days // 7 + 1)]
    shown = {date.fromisoformat(p.key): p for p in partitions if p.key >= begin.isoformat()}
    most = max((p.rows or 0 for p in shown.values()), default=0)
    cells = {day: Cell(day, p, _level(p.rows, most)) for day, p in shown.items()}
    days = tuple(
        tuple(cells.get(week + timedelta(days=weekday)) for week in weeks) for weekday in range(7)
    )
    return Calendar(tuple(weeks), days, months(partitions))


def months(partitions: Sequence[Partition]) -> tuple[Month, ...]:
    """The figures of each month, newest first; of each year for yearly partitions."""
    figures = []
    for name, members in groupby(partitions, key=lambda partition: partition.key[:7]):
        group = list(members)
        counted = [p.rows for p in group if p.rows is not None]
        missing = (PartitionState.MISSING, PartitionState.NOT_STARTED)
        figures.append(
            Month(
                name,
                loaded=sum(p.state == PartitionState.LOADED for p in group),
                failed=sum(p.state == PartitionState.FAILED for p in group),
                missing=sum(p.state in missing for p in group),
                rows=sum(counted) if counted else None,
            )
        )
    return tuple(reversed(figures))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _level(rows: int | None, most: int) -> int:
    return 0 if not rows or not most else 1 + (rows * _LEVELS - 1) // most % _LEVELS
