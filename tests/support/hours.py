"""A small API with everything that the model of hours knows, its raw tables, and a model of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.support.builders import build_api
from timetracking_assets.hours.build import loaded_types
from timetracking_assets.hours.checks.check import Context, Finding
from timetracking_assets.hours.checks.declared import checks_of
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.run import ModelReport, run_model
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.hours_model import HoursModelSpec
from timetracking_assets.warehouse.base import OpenWarehouse, Warehouse, literal, quoted

SQL_TYPES = {
    "bigint": "BIGINT",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "double": "DOUBLE PRECISION",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "json": "JSON",
}
USERS = {
    "name": "users",
    "endpoint": {"path": "users"},
    "columns": {
        "id": {"data_type": "bigint"},
        "name": {"data_type": "text"},
        "email": {"data_type": "text"},
        "zone": {"data_type": "text"},
        "week": {"data_type": "json"},
    },
    "unified": {
        "people": {
            "id": "id",
            "name": "name",
            "email": "email",
            "timezone": "zone",
            "weekday_hours": {"column": "week", "first": "sunday"},
        }
    },
}
PROJECTS = {
    "name": "projects",
    "endpoint": {"path": "projects"},
    "columns": {
        "id": {"data_type": "bigint"},
        "name": {"data_type": "text"},
        "client_id": {"data_type": "bigint"},
        "rate": {"data_type": "double"},
    },
    "unified": {
        "projects": {"id": "id", "name": "name", "client": "client_id"},
        "clients": {"id": "client_id", "distinct": True},
    },
}
ENTRIES = {
    "name": "entries",
    "endpoint": {"path": "entries"},
    "columns": {
        "id": {"data_type": "bigint"},
        "user_id": {"data_type": "bigint"},
        "project_id": {"data_type": "bigint"},
        "start": {"data_type": "timestamp"},
        "stop": {"data_type": "timestamp"},
        "seconds": {"data_type": "bigint"},
        "kind": {"data_type": "text"},
        "note": {"data_type": "text"},
    },
    "references": {"user_id": "users", "project_id": "projects"},
    "unified": {
        "time_entries": {
            "id": "id",
            "person": "user_id",
            "project": "project_id",
            "client": "project_id.client_id",
            "start": "start",
            "end": "stop",
            "seconds": "seconds",
            "billable": {"column": "kind", "map": {"billable": True, "internal": False}},
            "rate": "project_id.rate",
            "note": "note",
        }
    },
}
LEAVE = {
    "name": "leave",
    "endpoint": {"path": "leave"},
    "columns": {
        "id": {"data_type": "bigint"},
        "people": {"data_type": "json"},
        "first": {"data_type": "date"},
        "last": {"data_type": "date"},
        "hours": {"data_type": "double"},
        "state": {"data_type": "text"},
    },
    "unified": {
        "absences": {
            "id": "id",
            "each": "people",
            "person": "$each",
            "first_day": "first",
            "last_day": "last",
            "hours_per_day": "hours",
            "status": {"column": "state", "map": {"ok": "approved", "no": "declined"}},
        }
    },
}
BOOKINGS = {
    "name": "bookings",
    "endpoint": {"path": "bookings"},
    "columns": {
        "id": {"data_type": "bigint"},
        "user_id": {"data_type": "bigint"},
        "first": {"data_type": "date"},
        "last": {"data_type": "date"},
        "hours": {"data_type": "double"},
    },
    "unified": {
        "plans": {
            "id": "id",
            "person": "user_id",
            "first_day": "first",
            "last_day": "last",
            "hours_per_day": "hours",
        }
    },
}


def tool(name: str = "tool", *resources: dict[str, Any]) -> Api:
    """The API, whole or of the given resources."""
    return build_api(*(resources or (USERS, PROJECTS, ENTRIES, LEAVE, BOOKINGS)), name=name)


@dataclass(frozen=True)
class World:
    """A warehouse with raw tables of some APIs, and the model over them."""

    warehouse: Warehouse
    model: HoursModel

    @classmethod
    def of(cls, warehouse: Warehouse, *apis: Api, **spec: Any) -> World:
        model = HoursModel(HoursModelSpec.model_validate(spec), {api.name: api for api in apis})
        return cls(warehouse, model)

    @contextmanager
    def opened(self) -> Iterator[OpenWarehouse]:
        with self.warehouse.exclusive("a test", dataset=SCHEMA) as opened:
            yield opened

    def put(self, table: str, *rows: Mapping[str, Any], types: Mapping[str, str] = {}) -> None:
        """Replace a raw table (`api.resource`) by one that holds these rows."""
        api, resource = table.split(".")
        columns = self.model.apis[api].resources[resource].columns
        kinds = {name: types.get(name, column.data_type) for name, column in columns.items()}
        shape = ", ".join(f"{quoted(name)} {SQL_TYPES[kind]}" for name, kind in kinds.items())
        with self.opened() as opened:
            opened.change(f"CREATE SCHEMA IF NOT EXISTS {quoted(api)}")
            opened.change(f"DROP TABLE IF EXISTS {quoted(api, resource)}")
            opened.change(f"CREATE TABLE {quoted(api, resource)} ({shape})")
            for row in rows:
                names = ", ".join(map(quoted, row))
                values = ", ".join(map(_literal, row.values()))
                opened.change(f"INSERT INTO {quoted(api, resource)} ({names}) VALUES ({values})")

    def build(self, tables: Sequence[str] = tuple(TABLES), **given: Any) -> ModelReport:
        with self.opened() as opened:
            return run_model(opened, self.model, tables, **given)

    def finding(self, table: str, name: str, loaded: Any = ()) -> Finding:
        """What a check comes to now."""
        [check] = [c for c in checks_of(self.model) if (c.table, c.name) == (table, name)]
        with self.opened() as opened:
            return check.ask(Context(opened, self.model, loaded_types(opened), loaded))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.opened() as opened:
            return opened.rows(sql)

    def change(self, sql: str) -> None:
        with self.opened() as opened:
            opened.change(sql)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, date | datetime):
        return literal(value.isoformat())
    return literal(str(value))


def entry(number: int, start: str | None, stop: str | None, **more: Any) -> dict[str, Any]:
    """A row of `entries`; its seconds are those of the span, unless `seconds` says otherwise."""
    span = (
        int((datetime.fromisoformat(stop) - datetime.fromisoformat(start)).total_seconds())
        if start and stop
        else None
    )
    given = {"user_id": 1, "project_id": 7, "kind": "billable", "seconds": span, **more}
    return {"id": number, "start": start, "stop": stop, **given}
