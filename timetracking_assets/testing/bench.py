"""Loads of one API into a warehouse made for tests, and queries of its tables."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from timetracking_assets.component import RestApi
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.warehouse.base import Warehouse, quoted


def find_api(name: str, project: Path) -> Api:
    """The API `name` of the Dagster project that holds the directory `project`.

    Raises LookupError that names those which there are.
    """
    apis = _apis(project)
    if name not in apis:
        raise LookupError(f"{project} has no API '{name}'; it has: {', '.join(sorted(apis))}")
    return apis[name]


@cache
def _apis(project: Path) -> dict[str, Api]:
    tree = dg.ComponentTree.for_project(project)
    return {item.api.name: item.api for item in tree.get_all_components(of_type=RestApi)}


def everything(resource: Resource) -> Window | None:
    """All partitions of `resource` up to now, as one window; None for a snapshot."""
    if resource.partitions is None:
        return None
    zone = resource.partitions.timezone
    tomorrow = datetime.now(UTC).astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return Window.of_days(resource.partitions.first_day, tomorrow, zone)


class Bench:
    """One API and an empty warehouse; each resource is loaded when a test needs it."""

    def __init__(self, api: Api, warehouse: Warehouse) -> None:
        self.api, self.warehouse = api, warehouse
        self._first: dict[str, LoadReport] = {}

    @cached_property
    def variables(self) -> dict[str, str]:
        """The API's environment variables; the test is skipped where some are missing."""
        values = {name: os.environ.get(name, "").strip() for name in self.api.variables}
        if missing := [name for name, value in values.items() if not value]:
            pytest.skip(f"not set: {', '.join(missing)}")
        return values

    def first(self, resource: Resource) -> LoadReport:
        """The report of the first load of everything, which is done once."""
        if resource.name not in self._first:
            self._first[resource.name] = self.load(resource, everything(resource))
        return self._first[resource.name]

    def load(self, resource: Resource, window: Window | None) -> LoadReport:
        """Load once."""
        connection = Connection(self.api, self.variables)
        request = LoadRequest(connection, resource, window, holder="a conformance test")
        return run_load(request, self.warehouse)

    def rows(self, sql: str, resource: Resource) -> list[tuple[Any, ...]]:
        """The rows of a query; `{table}` is replaced by the resource's table."""
        with self.warehouse.exclusive("a conformance test", dataset=resource.api) as opened:
            return opened.rows(sql.replace("{table}", quoted(resource.api, resource.name)))

    def contents(self, resource: Resource) -> Any:
        """The number of rows of the table, and a hash of them all, whatever their order."""
        with self.warehouse.exclusive("a conformance test", dataset=resource.api) as opened:
            table = opened.in_scratch(resource.api, resource.name)
            return opened.scratch.execute(
                f"SELECT count(*), bit_xor(hash(t)) FROM {table} t"
            ).fetchall()

    def columns(self, resource: Resource) -> list[str]:
        """The names of the table's columns."""
        with self.warehouse.exclusive("a conformance test", dataset=resource.api) as opened:
            return list(opened.column_types(resource.api, resource.name))
