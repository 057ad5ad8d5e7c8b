"""Tables that somebody has changed by hand: mended by the next load, or refused with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.warehouse.base import Warehouse

if TYPE_CHECKING:
    from tests.unit.conftest import Stub
    from timetracking_assets.spec.api import Api

ROWS = [{"id": n, "name": f"n{n}", "hours": n + 0.5} for n in (1, 2, 3)]
CHANGED = [{**row, "name": "changed"} for row in ROWS[:2]]
Load = Callable[..., LoadReport]


@pytest.fixture
def warehouse(tmp_path: Path, new_warehouse: Callable[[Path], Warehouse]) -> Warehouse:
    return new_warehouse(tmp_path)


@pytest.fixture
def load(api: Callable[..., Api], stub: Stub, warehouse: Warehouse) -> Load:
    columns = {"id": {"data_type": "bigint", "nullable": False}, "hours": {"data_type": "double"}}
    spec = api({"name": "entries", "endpoint": {"path": "entries"}, "columns": columns})

    def load_rows(rows: list[dict[str, Any]]) -> LoadReport:
        stub.answers = [(200, {}, json.dumps({"data": rows}).encode())]
        connection = Connection(spec, {"HOURS_BASE_URL": stub.url})
        return run_load(LoadRequest(connection, spec.resources["entries"]), warehouse)

    return load_rows


@pytest.fixture
def edit(warehouse: Warehouse, load: Load) -> Callable[[str], None]:
    """Does what a statement says, after two loads."""
    load(ROWS)
    load(ROWS)

    def change(statement: str) -> None:
        with warehouse.exclusive("somebody", dataset="hours") as opened:
            opened.change(statement)

    return change


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE hours.entries DROP COLUMN name",
        "ALTER TABLE hours.entries DROP COLUMN hours",
        "ALTER TABLE hours.entries RENAME COLUMN name TO other",
        "ALTER TABLE hours.entries ADD COLUMN mine VARCHAR",
        "ALTER TABLE hours.entries ALTER COLUMN hours TYPE INTEGER",
        "DROP TABLE hours_staging.entries",
        "ALTER TABLE hours_staging.entries DROP COLUMN name",
        "ALTER TABLE hours_staging.entries ALTER COLUMN hours TYPE VARCHAR",
        "DROP TABLE hours._dlt_version",
        "DROP TABLE hours._load_order",
    ],
)
def test_the_next_load_mends_it(
    load: Load, edit: Callable[[str], None], warehouse: Warehouse, statement: str
) -> None:
    edit(statement)
    for _ in range(2):
        load(CHANGED)
        with warehouse.reading("a test") as opened:
            rows = opened.rows("SELECT id, name, hours FROM hours.entries ORDER BY id")
        assert rows == [(1, "changed", 1.5), (2, "changed", 2.5)]
    assert load(CHANGED).changes.unchanged == 2


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "ALTER TABLE hours.entries DROP COLUMN id",
            "has no column 'id', which is its key. Remove",
        ),
        (
            "ALTER TABLE hours.entries ALTER COLUMN name TYPE BYTEA USING CAST(name AS BYTEA)",
            "column 'name' is text, but the table hours.entries holds it as .*DROP TABLE",
        ),
    ],
)
def test_what_can_not_be_mended_is_refused(
    load: Load, edit: Callable[[str], None], statement: str, message: str
) -> None:
    edit(statement)
    with pytest.raises(IngestError, match=message):
        load(CHANGED)
