"""Hours by week, person, project and customer, for each table whose YAML says `hours`.

Sums come from SQL, never rows; names come from the tables that `references` lead to. A proof that
the data is usable, not a reporting tool.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from timetracking_assets.health.watched import WatchedAsset
from timetracking_assets.orchestration.checks.quality_counts import day_of, hours_of
from timetracking_assets.spec.quality import HoursSpec, ReferenceSpec
from timetracking_assets.spec.quality_rules import ColumnPath
from timetracking_assets.warehouse.base import OpenWarehouse, quoted

WEEKS = 105
"""How many weeks back hours are shown: two years."""
DIMENSIONS = ("person", "project", "customer")
NOBODY = "(none)"


@dataclass(frozen=True)
class Hours:
    """The hours of one table. `sums` holds for each combination that occurs: the number of its
    week, of its person, project and customer in `names`, and the hours."""

    api: str
    resource: str
    weeks: tuple[date, ...]
    """The Mondays of the weeks, in order."""
    names: Mapping[str, tuple[str, ...]]
    """Names by dimension; a dimension that the table doesn't know is left out."""
    sums: tuple[tuple[int | float, ...], ...]

    @property
    def total(self) -> float:
        """All hours."""
        return sum(row[-1] for row in self.sums)


@dataclass(frozen=True)
class _Table:
    """A table, and what its asset declares of it."""

    api: str
    name: str
    primary_key: str
    timezone: str
    hours: HoursSpec | None
    references: Mapping[str, ReferenceSpec]

    @classmethod
    def of(cls, asset: WatchedAsset) -> _Table | None:
        metadata = asset.metadata
        if "primary_key" not in metadata or len(asset.key.path) != 2:
            return None
        hours, references = metadata.get("hours"), metadata.get("references") or {}
        return cls(
            api=asset.key.path[0],
            name=asset.key.path[1],
            primary_key=str(metadata["primary_key"]),
            timezone=asset.partitions.timezone if asset.partitions else "UTC",
            hours=HoursSpec.model_validate(hours) if hours else None,
            references={c: ReferenceSpec.model_validate(r) for c, r in references.items()},
        )


def read_hours(
    opened: OpenWarehouse, assets: Sequence[WatchedAsset], now: datetime, notes: list[str]
) -> list[Hours]:
    """The hours of each table that declares some and exists, over the last two years; a table that
    lacks what was declared gets one of the `notes`."""
    tables = {(t.api, t.name): t for asset in assets if (t := _Table.of(asset)) is not None}
    read = []
    for table in tables.values():
        if table.hours and opened.column_types(table.api, table.name):
            try:
                read.append(_read(opened, table, tables, now))
            except Exception as error:
                message = str(error).partition("\n")[0]
                notes.append(f"Hours of {table.api}/{table.name} are left out: {message}")
    return [hours for hours in read if hours.sums]


def _read(
    opened: OpenWarehouse,
    table: _Table,
    tables: Mapping[tuple[str, str], _Table],
    now: datetime,
) -> Hours:
    hours = table.hours
    assert hours is not None
    types = opened.column_types(table.api, table.name)
    day = day_of(f"t.{quoted(hours.date)}", types.get(hours.date, "timestamp"), table.timezone)
    since = (now - timedelta(weeks=WEEKS)).date()
    columns, joins, labels = [], [], {}
    for dimension in DIMENSIONS:
        if (text := getattr(hours, dimension)) is None:
            continue
        path = ColumnPath.parse(text)
        column, owner = f"t.{quoted(path.column)}", table
        if path.next_column:
            reference = table.references[path.column]
            owner = tables[table.api, reference.resource]
            if not opened.column_types(owner.api, owner.name):
                continue
            alias = quoted(f"{dimension}_of")
            key = quoted(reference.column or owner.primary_key)
            joins.append(
                f"LEFT JOIN {quoted(owner.api, owner.name)} {alias} ON "
                f"CAST({alias}.{key} AS VARCHAR) = CAST({column} AS VARCHAR)"
            )
            column = f"{alias}.{quoted(path.next_column)}"
        columns.append(f"CAST({column} AS VARCHAR)")
        labels[dimension] = _names(opened, owner, path.next_column or path.column, tables)
    grouped = ", ".join([f"CAST(date_trunc('week', {day}) AS DATE)", *columns])
    rows = opened.rows(
        f"SELECT {grouped}, sum({hours_of(hours, 't')}) "
        f"FROM {quoted(table.api, table.name)} t {' '.join(joins)} "
        f"WHERE {day} >= DATE '{since}' AND {hours_of(hours, 't')} > 0 "
        f"GROUP BY {grouped} ORDER BY {grouped}"
    )
    return _indexed(table, labels, [(*row[:-1], round(float(row[-1]), 2)) for row in rows])


def _names(
    opened: OpenWarehouse, owner: _Table, column: str, tables: Mapping[tuple[str, str], _Table]
) -> dict[str, str]:
    """Id -> name, as far as a table of names exists; names that several have get their id."""
    reference = owner.references.get(column)
    target = tables.get((owner.api, reference.resource)) if reference else None
    if reference is None or target is None:
        return {}
    if reference.name not in opened.column_types(target.api, target.name):
        return {}
    key = quoted(reference.column or target.primary_key)
    by_id = dict(
        opened.rows(
            f"SELECT CAST({key} AS VARCHAR), min(CAST({quoted(reference.name)} AS VARCHAR)) "
            f"FROM {quoted(target.api, target.name)} GROUP BY CAST({key} AS VARCHAR)"
        )
    )
    often = Counter(by_id.values())
    return {k: f"{n} ({k})" if often[n] > 1 else n for k, n in by_id.items() if n}


def _indexed(
    table: _Table, labels: Mapping[str, Mapping[str, str]], rows: Sequence[tuple[Any, ...]]
) -> Hours:
    weeks = sorted({row[0] for row in rows})
    number = {week: index for index, week in enumerate(weeks)}
    names: dict[str, dict[str, int]] = {dimension: {} for dimension in labels}
    sums = []
    for week, *ids, hours in rows:
        places = []
        for (dimension, known), value in zip(labels.items(), ids, strict=True):
            label = NOBODY if value is None else known.get(value, f"{dimension} {value}")
            places.append(names[dimension].setdefault(label, len(names[dimension])))
        sums.append((number[week], *places, hours))
    return Hours(
        table.api,
        table.name,
        tuple(weeks),
        {dimension: tuple(named) for dimension, named in names.items()},
        tuple(sums),
    )
