"""The memory that DuckDB may take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from timetracking_assets.errors import IngestError, WarehouseError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.spec.api import Api
from timetracking_assets.warehouse.duckdb_file import DuckDBFile
from timetracking_assets.warehouse.scratch import limit_memory

if TYPE_CHECKING:
    from tests.support.stub_api import Stub

VARIABLE = "TIMETRACKING_MEMORY_LIMIT"


def memory_limit(connection: duckdb.DuckDBPyConnection) -> float:
    """The limit in MiB."""
    [[text]] = connection.execute("SELECT current_setting('memory_limit')").fetchall()
    number, unit = text.split()
    return float(number) * {"MiB": 1, "GiB": 1024}[unit]


def test_as_much_as_its_threads_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 3")
        limit_memory(connection)
        assert memory_limit(connection) == pytest.approx(600e6 / 2**20, abs=1)


def test_a_warehouse_has_the_limit_that_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "2GiB")
    with DuckDBFile(tmp_path / "warehouse.duckdb").exclusive("a test") as opened:
        assert memory_limit(opened.scratch) == 2048


def test_a_warehouse_has_no_more_than_duckdb_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with DuckDBFile(tmp_path / "warehouse.duckdb").exclusive("a test") as opened:
        [[threads]] = opened.rows("SELECT current_setting('threads')")
        assert memory_limit(opened.scratch) == pytest.approx(threads * 125e6 / 2**20, abs=1)


def test_words_that_are_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "plenty")
    with duckdb.connect() as connection, pytest.raises(WarehouseError, match=f"{VARIABLE}.*plenty"):
        limit_memory(connection)


def test_a_load_without_memory_says_what_to_raise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, api: Callable[..., Api], stub: Stub
) -> None:
    declared = api({"name": "entries", "endpoint": {"path": "entries"}})
    stub.answers = [(200, {}, json.dumps({"data": [{"id": n} for n in range(1000)]}).encode())]
    connection = Connection(declared, {"HOURS_BASE_URL": stub.url})
    request = LoadRequest(connection, declared.resources["entries"], None)
    warehouse = DuckDBFile(tmp_path / "warehouse.duckdb")
    monkeypatch.setenv(VARIABLE, "100kB")
    with pytest.raises(IngestError, match=f"Raise {VARIABLE}"):
        run_load(request, warehouse)
    monkeypatch.delenv(VARIABLE)
    assert run_load(request, warehouse).changes.row_count == 1000
