"""The conformance suite: what every API passes, by one line in a test file.

    TestMyApi = conformance_suite("my_api")

The tests only read from the API that the environment names, and load into a warehouse of their
own. They need an account, or a mock of the API, that nobody changes meanwhile.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window, series_of
from timetracking_assets.orchestration.checks.load_facts import load_metadata
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.testing.bench import Bench, everything, find_api
from timetracking_assets.testing.echo import EchoServer
from timetracking_assets.warehouse.base import Warehouse, quoted
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

_METADATA = {
    *("dagster/row_count", "dagster/table_name", "dagster/column_schema", "load_id"),
    *("rows_extracted", "distinct_keys", "rows_inserted", "rows_updated", "rows_unchanged"),
    *("rows_deleted", "requests", "retries", "bytes"),
    *(f"seconds_{phase}" for phase in ("lock", "restore", "extract", "normalize", "load")),
}


def duckdb_file(directory: Path) -> Warehouse:
    """A new DuckDB file below `directory`."""
    return DuckDBFile(directory / "warehouse.duckdb", lock_timeout=60)


def conformance_suite(
    api: str,
    *,
    project: Path | None = None,
    every: bool = False,
    warehouse: Callable[[Path], Warehouse] = duckdb_file,
) -> type:
    """A class of tests for the API of that name; assign it to a name that begins with `Test`.

    `project` is a directory of the Dagster project that defines it, by default the working
    directory. Every resource is loaded; what costs more loads is tested on one resource of each
    kind, or with `every` on all. `warehouse` makes an empty warehouse, which may keep files below a
    directory; whatever the environment names is left alone.

    Raises LookupError if there is no such API.
    """
    resolved = find_api(api, project or Path.cwd())
    namespace = {"api": resolved, "every": every, "new_warehouse": warehouse}
    return type(f"Test_{api}", (_Conformance,), namespace)


def _kinds(resources: Iterable[Resource]) -> list[Resource]:
    """One of each sync mode, way of partitioning, paging and fan-out."""
    kinds: dict[object, Resource] = {}
    for resource in resources:
        paginator = resource.endpoint["paginator"]
        kind = (
            resource.sync_mode,
            resource.partitions and resource.partitions.type,
            paginator.get("type") if isinstance(paginator, dict) else paginator,
            resource.parent is not None,
        )
        kinds.setdefault(kind, resource)
    return list(kinds.values())


def _skip_if_empty(bench: Bench, resource: Resource) -> None:
    if not bench.first(resource).changes.row_count:
        pytest.skip(f"the API holds no {resource.name}")


def _windows_at(at: date, timezone: str) -> tuple[Window, Window]:
    """A window that ends just at `at` (an instant, or a day in the zone), and one that begins."""
    if isinstance(at, datetime):
        hour, second = timedelta(hours=1), timedelta(seconds=1)
        return Window(at - hour, at, timezone), Window(at, at + second, timezone)
    day = timedelta(days=1)
    return Window.of_days(at - day, at, timezone), Window.of_days(at, at + day, timezone)


class _Conformance:
    """The tests; `conformance_suite` sets the API, and whether every resource is tested."""

    api: ClassVar[Api]
    every: ClassVar[bool]
    new_warehouse: ClassVar[Callable[[Path], Warehouse]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each test for the resources that it is about."""
        resources = list(self.api.resources.values())
        if not self.every and metafunc.function.__name__ != "test_loads":
            resources = _kinds(resources)
        if metafunc.function.__name__ == "test_window_boundaries_are_exact":
            resources = [resource for resource in resources if resource.window]
        metafunc.parametrize("resource", resources, ids=[r.name for r in resources])

    @pytest.fixture(scope="class")
    def bench(self, tmp_path_factory: pytest.TempPathFactory) -> Bench:
        """The API with a warehouse that the class's tests share."""
        return Bench(self.api, type(self).new_warehouse(tmp_path_factory.mktemp(self.api.name)))

    def test_loads(self, bench: Bench, resource: Resource) -> None:
        """Every row has its key, once; the pages end; the report is complete."""
        report = bench.first(resource)
        changes, keys = report.changes, [quoted(name) for name in resource.primary_key]
        null = " OR ".join(f"{key} IS NULL" for key in keys) or "false"
        # without a key each row counts
        identity = f"DISTINCT ({', '.join(keys)})" if keys else "*"
        [(rows, distinct, nulls)] = bench.rows(
            f"SELECT count(*), count({identity}), count(*) FILTER (WHERE {null}) FROM {{table}}",
            resource,
        )
        assert nulls == 0, f"{nulls} rows have no {resource.primary_key}"
        assert rows == distinct == changes.distinct_keys == changes.row_count

        if resource.parent is None:
            pages = report.rows_extracted // (resource.page_size or 1) + 1
            pages += resource.repeated_page == "stop"
            series = 1
            if resource.window and report.window:
                series = len(series_of(resource, report.window))
            requests = report.requests.requests - report.requests.retries
            assert requests <= pages * series, (
                f"{requests} requests for {report.rows_extracted} rows"
            )

        metadata = load_metadata(report)
        missing = _METADATA - metadata.keys()
        assert not missing, f"the metadata lacks {sorted(missing)}"
        assert [name for name, value in metadata.items() if value is None] == []

    def test_again_changes_nothing(self, bench: Bench, resource: Resource) -> None:
        """Loaded twice, the table is the same, and the second load reports no change."""
        bench.first(resource)
        before = bench.contents(resource)
        changes = bench.load(resource, everything(resource)).changes
        assert (changes.inserted, changes.updated, changes.deleted) == (0, 0, 0), changes
        assert bench.contents(resource) == before

    def test_delete_is_seen(self, bench: Bench, resource: Resource) -> None:
        """A row that the answer doesn't hold is removed; only `changes` is silent about it."""
        if not resource.primary_key:
            pytest.skip("the table has no key: each answer replaces it")
        _skip_if_empty(bench, resource)
        before = bench.contents(resource)
        key = resource.primary_key[0]
        number = resource.columns[key].data_type == "bigint" if key in resource.columns else False
        other = f"(SELECT max({quoted(key)}) + 1 FROM {{table}})" if number else "'no such key'"
        columns = bench.columns(resource)
        values = [other if name == key else quoted(name) for name in columns]
        bench.rows(
            f"INSERT INTO {{table}} ({', '.join(map(quoted, columns))}) "
            f"SELECT {', '.join(values)} FROM {{table}} LIMIT 1",
            resource,
        )
        stays = resource.sync_mode == "changes"
        try:
            changes = bench.load(resource, everything(resource)).changes
            assert changes.deleted == (0 if stays else 1), changes
        finally:
            if stays:
                value = f"max({quoted(key)})" if number else "'no such key'"
                bench.rows(
                    f"DELETE FROM {{table}} WHERE {quoted(key)} = "
                    f"(SELECT {value} FROM {{table}} LIMIT 1)",
                    resource,
                )
        assert bench.contents(resource) == before

    def test_window_boundaries_are_exact(
        self, bench: Bench, resource: Resource, tmp_path: Path
    ) -> None:
        """A row just at the start of a window is in it; one just at its end is not."""
        _skip_if_empty(bench, resource)
        assert resource.window is not None
        assert resource.partitions is not None
        column = quoted(resource.window.field)
        names = ", ".join(map(quoted, resource.primary_key))
        keys = f"SELECT {names} FROM {{table}}"
        [(latest,)] = bench.rows(f"SELECT max({column}) FROM {{table}}", resource)
        there = f"{keys} WHERE {column} = (SELECT max({column}) FROM {{table}}) ORDER BY {names}"
        held = bench.rows(there, resource)
        before, begins = _windows_at(latest, resource.partitions.timezone)

        apart = Bench(self.api, type(self).new_warehouse(tmp_path))
        apart.load(resource, before)
        assert not set(held) & set(apart.rows(keys, resource)), f"{before} holds {latest}"
        apart.load(resource, begins)
        assert apart.rows(there, resource) == held, f"{begins} does not hold {latest}"

    def test_secrets_are_masked(
        self, bench: Bench, resource: Resource, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A server that repeats the credentials in its refusal: they are in no message or log."""
        values = bench.variables
        with EchoServer() as server, caplog.at_level(logging.INFO):
            echoing = replace(self.api, client={**self.api.client, "base_url": server.url})
            request = LoadRequest(
                Connection(echoing, values), resource, everything(resource), log=logging.info
            )
            with pytest.raises(IngestError) as failure:
                run_load(request, type(self).new_warehouse(tmp_path))
            received = "".join(server.received)
        error = failure.value
        text = f"{error} {error.__cause__} {error.__context__} {caplog.text}"
        assert "HTTP 400" in text
        assert received, "nothing was requested"
        for name in self.api.secret_variables:
            assert values[name] not in text, f"{name} is not masked"
        for token in re.findall(r"(?:Basic|Bearer) ([^\"]+)", received):
            assert token not in text, "the Authorization header is not masked"
