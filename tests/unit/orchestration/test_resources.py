"""Where runs may be on several machines, nothing of one machine alone keeps loads apart."""

from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from timetracking_assets.errors import SettingsError
from timetracking_assets.health.asset import HealthReportResource
from timetracking_assets.orchestration.resources import WarehouseResource
from timetracking_assets.warehouse.duckdb_file import DuckDBFile


class OtherMachinesLauncher:
    """A launcher that is not of Dagster's core."""


@pytest.fixture
def several() -> Any:
    return SimpleNamespace(run_launcher=OtherMachinesLauncher())


def test_a_file_is_refused_as_the_warehouse_of_several_machines(several: Any) -> None:
    with pytest.raises(SettingsError, match=r"OtherMachinesLauncher.*WAREHOUSE_DESTINATION"):
        WarehouseResource(path="warehouse.duckdb").open_for(several)


def test_a_lock_file_is_refused_too(several: Any) -> None:
    with pytest.raises(SettingsError, match="a file of one machine"):
        WarehouseResource(destination="bigquery", path="warehouse.duckdb").open_for(several)


def test_a_server_with_locks_of_its_own_is_taken(
    several: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://user@host:5432/db")

    assert WarehouseResource(destination="postgres").open_for(several).is_shared


def test_one_machine_takes_a_file() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        warehouse = WarehouseResource(path="warehouse.duckdb").open_for(instance)

    assert isinstance(warehouse, DuckDBFile)


def test_the_page_is_not_left_on_whichever_machine_made_it(
    several: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("TIMETRACKING_REPORT", raising=False)

    assert HealthReportResource().file(tmp_path, several) is None
    named = HealthReportResource(path=str(tmp_path / "page.html"))
    assert named.file(tmp_path, several) == tmp_path / "page.html"
