"""The model of hours over made-up raw tables of the shipped APIs: what a build costs where nothing
has changed, or four days have, against one that builds all of it.

Their rows are made in the warehouse, so that nothing but the model is measured.
"""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.table import Table

from timetracking_assets.component import load_project
from timetracking_assets.hours.checks.declared import checks_of
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.run import ModelReport, run_model
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.spec.hours_model import HoursModelSpec
from timetracking_assets.warehouse.base import OpenWarehouse, quoted
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

_DAYS, _PEOPLE, _PROJECTS, _CLIENTS = 800, 60, 200, 40
_SQL_TYPES = {
    "bigint": "BIGINT",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "json": "JSON",
}
# one entry after another on each person's day; `a` is the API's number: no work is in two of them
_START = (
    f"(TIMESTAMPTZ '2024-01-01 07:00:00+00' + INTERVAL 1 DAY * ((i - 1) % {_DAYS}) "
    f"+ INTERVAL 7200 SECOND * ((i - 1) // {_DAYS * _PEOPLE}) + INTERVAL 60 SECOND * a)"
)
_LENGTH = "(900 * (1 + (i + a) % 7))"
_COMMON = {
    "note": "'piece of work ' || a || ' ' || i",
    "billable": "i % 4 <> 0",
    "user": f"((i - 1) // {_DAYS}) % {_PEOPLE} + 1",
    "project": f"(i * 13) % {_PROJECTS} + 1",
}
# API and resource -> column -> SQL of `i`, the row's number
_ENTRIES: dict[tuple[str, str], dict[str, str]] = {
    ("time_tracking", "time_tracking_data"): {
        "user_id": _COMMON["user"],
        "project_id": _COMMON["project"],
        "customer_id": f"({_COMMON['project']}) % {_CLIENTS} + 1",
        "date": f"CAST({_START} AS DATE)",
        "started_at": _START,
        "ended_at": f"{_START} + INTERVAL 1 SECOND * {_LENGTH}",
        "duration": _LENGTH,
        "billable": _COMMON["billable"],
        "hourly_rate": "80.0 + i % 5",
        "note": _COMMON["note"],
        "updated_at": _START,
    },
    ("project_management", "entries"): {
        "user_id": _COMMON["user"],
        "project_id": _COMMON["project"],
        "customer_id": f"({_COMMON['project']}) % {_CLIENTS} + 1",
        "time_since": _START,
        "time_until": f"{_START} + INTERVAL 1 SECOND * {_LENGTH}",
        "duration": _LENGTH,
        "billable": "i % 3",
        "hourly_rate": "90.0",
        "service__name": "'Design'",
        "text": _COMMON["note"],
        "time_last_change": _START,
    },
    ("workspace_time", "time_entries"): {
        "user_id": _COMMON["user"],
        "project_id": _COMMON["project"],
        "task_id": _COMMON["project"],
        "start": _START,
        "stop": f"{_START} + INTERVAL 1 SECOND * {_LENGTH}",
        "duration": _LENGTH,
        "billable": _COMMON["billable"],
        "description": _COMMON["note"],
        "at": _START,
    },
    ("resource_management", "logged_time"): {
        "person_id": _COMMON["user"],
        "project_id": _COMMON["project"],
        "date": f"CAST({_START} AS DATE)",
        "hours": f"{_LENGTH} / 3600.0",
        "billable": _COMMON["billable"],
        "notes": _COMMON["note"],
        "modified": _START,
    },
    ("time_analytics", "time_entries"): {
        "user_id": f"CAST({_COMMON['user']} AS VARCHAR)",
        "project_id": f"CAST({_COMMON['project']} AS VARCHAR)",
        "task_id": f"CAST({_COMMON['project']} AS VARCHAR)",
        "time_interval__start": _START,
        "time_interval__end": f"{_START} + INTERVAL 1 SECOND * {_LENGTH}",
        "time_interval__duration": "'PT' || (15 * (1 + (i + a) % 7)) || 'M'",
        "billable": _COMMON["billable"],
        "description": _COMMON["note"],
        "is_locked": "i % 2 = 0",
    },
}
_OTHERS = {
    "email": "'person' || i || '@studio.example'",
    "name": "'name ' || i",
    "client_id": f"i % {_CLIENTS} + 1",
    "customers_id": f"i % {_CLIENTS} + 1",
    "project_id": "i",
    "hourly_rate__amount": "9000",
    "hourly_rate__currency": "'EUR'",
    "non_billable": "i % 10 = 0",
    "active": "true",
    "user_id": "i",
}
_ROWS_OF_OTHERS = {"people": _PEOPLE, "users": _PEOPLE, "organizations_users": _PEOPLE}
_WITHOUT_ROWS = ("absences", "time_off", "holidays", "public_holidays", "tasks", "timeoff_types")


@dataclass(frozen=True)
class _Cost:
    seconds: float
    cpu_seconds: float
    phases: dict[str, float]
    report: ModelReport


def hours_model(rows: int, rounds: int, *, checks: bool) -> Table:
    """A build of everything, one where nothing has changed, and one where an entry of each of four
    days has, in turn; with `checks`, all of them are evaluated, as in a run by hand."""
    names = ("all of it", "nothing changed", "four days changed")
    costs: dict[str, list[_Cost]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as directory:
        warehouse = DuckDBFile(Path(directory) / "warehouse.duckdb")
        model = HoursModel(
            HoursModelSpec.model_validate({"timezone": "Europe/Berlin"}),
            {api.name: api for api in load_project(Path.cwd())},
        )
        with warehouse.exclusive("the benchmark", dataset=SCHEMA) as opened:
            _make_raw_tables(opened, model, rows)
        for _ in range(rounds + 1):
            for name, before in zip(names, (_drop, None, _edit), strict=True):
                costs[name].append(_build(warehouse, model, before, checks=checks))
    return _table(rows, {name: found[1:] for name, found in costs.items()})


def _make_raw_tables(opened: OpenWarehouse, model: HoursModel, rows: int) -> None:
    for number_of_api, (api, name) in enumerate(model.all_raw_tables()):
        columns = model.apis[api].resources[name].columns
        given = _ENTRIES.get((api, name), _OTHERS)
        number = rows // len(_ENTRIES)
        if given is _OTHERS:
            number = 0 if name in _WITHOUT_ROWS else _ROWS_OF_OTHERS.get(name, _PROJECTS)
        values = ", ".join(
            f"CAST({'i' if column == 'id' else given.get(column, 'NULL')} AS "
            f"{_SQL_TYPES[str(spec.data_type)]}) AS {quoted(column)}"
            for column, spec in columns.items()
        )
        opened.change(f"CREATE SCHEMA IF NOT EXISTS {quoted(api)}")
        opened.change(
            f"CREATE TABLE {quoted(api, name)} AS SELECT {values} "
            f"FROM (SELECT unnest(range(1, {number + 1})) AS i, {number_of_api} AS a)"
        )


def _drop(opened: OpenWarehouse) -> None:
    opened.change(f"DROP SCHEMA IF EXISTS {quoted(SCHEMA)} CASCADE")


def _edit(opened: OpenWarehouse) -> None:
    opened.change(
        "UPDATE time_tracking.time_tracking_data SET duration = duration + 1 WHERE id IN "
        "(SELECT min(id) FROM time_tracking.time_tracking_data GROUP BY date ORDER BY 1 LIMIT 4)"
    )


def _build(
    warehouse: DuckDBFile,
    model: HoursModel,
    before: Callable[[OpenWarehouse], None] | None,
    *,
    checks: bool,
) -> _Cost:
    chosen = [(check.table, check.name) for check in checks_of(model)] if checks else []
    with warehouse.exclusive("the benchmark", dataset=SCHEMA) as opened:
        if before:
            before(opened)
            opened.change("CHECKPOINT")
        used, started = _cpu_seconds(), perf_counter()
        report = run_model(opened, model, tuple(TABLES), chosen)
        seconds = perf_counter() - started
        phases = {name: table.seconds for name, table in report.tables.items()}
        return _Cost(seconds, _cpu_seconds() - used, phases, report)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _table(rows: int, costs: dict[str, list[_Cost]]) -> Table:
    table = Table("build", title=f"{rows:,} time entries of {len(_ENTRIES)} APIs")
    for heading in ("seconds", "of all", "CPU seconds", "of all", "parts", "rows written"):
        table.add_column(heading, justify="right")
    whole = next(iter(costs.values()))
    for name, found in costs.items():
        written = found[-1].report.tables["time_entries"]
        pairs = list(zip(found, whole, strict=True))
        table.add_row(
            name,
            f"{median(cost.seconds for cost in found):.2f}",
            f"{median(cost.seconds / all_of_it.seconds for cost, all_of_it in pairs):.2f}",
            f"{median(cost.cpu_seconds for cost in found):.2f}",
            f"{median(cost.cpu_seconds / all_of_it.cpu_seconds for cost, all_of_it in pairs):.2f}",
            str(written.parts_replaced),
            f"{written.rows_written:,}",
        )
    return table
