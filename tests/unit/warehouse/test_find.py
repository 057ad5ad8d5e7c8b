"""Which warehouse the settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from timetracking_assets.warehouse.destination import DestinationWarehouse
from timetracking_assets.warehouse.duckdb_file import DuckDBFile
from timetracking_assets.warehouse.find import find_warehouse


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIMETRACKING_WAREHOUSE", raising=False)
    monkeypatch.delenv("WAREHOUSE_DESTINATION", raising=False)


def test_a_file_in_the_working_directory_by_default(tmp_path: Path) -> None:
    found = find_warehouse()
    assert isinstance(found, DuckDBFile)
    assert found.path == tmp_path / ".timetracking" / "warehouse.duckdb"


def test_a_path_goes_before_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMETRACKING_WAREHOUSE", "variable.duckdb")
    assert find_warehouse().path == tmp_path / "variable.duckdb"  # type: ignore[attr-defined]
    assert find_warehouse("given.duckdb").path == tmp_path / "given.duckdb"  # type: ignore[attr-defined]
    home = find_warehouse("~/mine.duckdb").path  # type: ignore[attr-defined]
    assert home == Path.home() / "mine.duckdb"


def test_another_destination_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_DESTINATION", " postgres ")
    assert isinstance(find_warehouse(), DestinationWarehouse)
    assert isinstance(find_warehouse(destination="duckdb"), DuckDBFile)
