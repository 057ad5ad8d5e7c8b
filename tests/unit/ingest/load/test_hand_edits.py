"""Tables that somebody has changed by hand: mended by the next load, or refused with what to do."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from timetracking_assets.errors import IngestError, WarehouseError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.warehouse.base import Warehouse
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

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
    """Loads rows into the warehouse, or another one."""
    columns = {"id": {"data_type": "bigint", "nullable": False}, "hours": {"data_type": "double"}}
    spec = api({"name": "entries", "endpoint": {"path": "entries"}, "columns": columns})

    def load_rows(rows: list[dict[str, Any]], other: Warehouse | None = None) -> LoadReport:
        stub.answers = [(200, {}, json.dumps({"data": rows}).encode())]
        connection = Connection(spec, {"HOURS_BASE_URL": stub.url})
        return run_load(LoadRequest(connection, spec.resources["entries"]), other or warehouse)

    return load_rows


@pytest.fixture(scope="module")
def loaded_twice(tmp_path_factory: pytest.TempPathFactory) -> DuckDBFile:
    """Filled by the first test that needs it."""
    return DuckDBFile(tmp_path_factory.mktemp("loaded") / "warehouse.duckdb")


@pytest.fixture
def edit(warehouse: Warehouse, load: Load, loaded_twice: DuckDBFile) -> Callable[[str], None]:
    """Executes statements, after two loads."""
    filled = loaded_twice if isinstance(warehouse, DuckDBFile) else warehouse
    if filled is warehouse or not loaded_twice.path.exists():
        load(ROWS, filled)
        load(ROWS, filled)
    if isinstance(warehouse, DuckDBFile):
        shutil.copyfile(loaded_twice.path, warehouse.path)

    return lambda statements: edit_again(warehouse, statements)


def entries(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with warehouse.reading("a test") as opened:
        return opened.rows("SELECT id, name, hours FROM hours.entries ORDER BY id")


def edit_again(warehouse: Warehouse, statements: str) -> None:
    with warehouse.exclusive("somebody", dataset="hours") as opened:
        for statement in statements.split("; "):
            opened.change(statement)


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
        "ALTER TABLE hours._load_order DROP COLUMN state",
        "DROP TABLE hours._dlt_loads",
        "DROP TABLE hours._dlt_pipeline_state",
        "DROP TABLE hours_staging.entries; CREATE TABLE hours_staging.entries "
        "(id BIGINT CHECK (id > 2), name VARCHAR, hours DOUBLE PRECISION)",
        "DROP TABLE hours_staging.entries; CREATE TABLE hours_staging.entries "
        "(id BIGINT, name VARCHAR UNIQUE, hours DOUBLE PRECISION)",
        "ALTER TABLE hours_staging.entries ADD COLUMN mine VARCHAR",
        "DROP SCHEMA hours_staging CASCADE",
        "CREATE UNIQUE INDEX of_the_key ON hours.entries (id)",
        "ALTER TABLE hours.entries ADD COLUMN mine VARCHAR DEFAULT 'x'",
    ],
)
def test_the_next_load_mends_it(
    load: Load, edit: Callable[[str], None], warehouse: Warehouse, statement: str
) -> None:
    edit(statement)
    load(CHANGED)
    assert entries(warehouse) == [(1, "changed", 1.5), (2, "changed", 2.5)]
    assert load(CHANGED).changes.unchanged == 2
    assert entries(warehouse) == [(1, "changed", 1.5), (2, "changed", 2.5)]


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
        (
            "ALTER TABLE hours.entries RENAME TO old; CREATE VIEW hours.entries AS "
            "SELECT * FROM hours.old",
            'hours.entries is a view, no table. .*`DROP VIEW "hours"."entries"`',
        ),
        (
            "ALTER TABLE hours_staging.entries RENAME TO old; CREATE VIEW hours_staging.entries AS "
            "SELECT * FROM hours_staging.old",
            'hours_staging.entries is a view, no table. .*`DROP VIEW "hours_staging"."entries"`',
        ),
        (
            "DELETE FROM hours.entries; DROP TABLE hours.entries; CREATE TABLE hours.entries "
            "(id BIGINT, name VARCHAR CHECK (name <> 'changed'), hours DOUBLE PRECISION)",
            "If somebody has changed the table hours.entries by hand",
        ),
        (
            "DROP TABLE hours.entries; CREATE TABLE hours.entries "
            "(id BIGINT, name VARCHAR UNIQUE, hours DOUBLE PRECISION)",
            "If somebody has changed the table hours.entries by hand",
        ),
        (
            "DROP TABLE hours.entries; CREATE TABLE hours.entries (id BIGINT, name VARCHAR, "
            "hours DOUBLE PRECISION, mine VARCHAR NOT NULL)",
            "If somebody has changed the table hours.entries by hand",
        ),
        (
            "DROP TABLE hours.entries; CREATE TABLE hours.entries (id BIGINT, "
            "hours DOUBLE PRECISION, name VARCHAR GENERATED ALWAYS AS ('x'))",
            "If somebody has changed the table hours.entries by hand",
        ),
        (
            "DROP TABLE hours.entries; CREATE TABLE hours.entries "
            "(id VARCHAR, name VARCHAR, hours DOUBLE PRECISION)",
            "column 'id' is declared as bigint, but the table hours.entries holds it as text",
        ),
        (
            "UPDATE hours._dlt_version SET schema = 'garbage'",
            "dlt can't read its notes of the table",
        ),
        (
            "UPDATE hours._dlt_pipeline_state SET state = 'garbage'",
            "dlt can't read its notes of the table",
        ),
        (
            "ALTER TABLE hours._dlt_version DROP COLUMN schema",
            "dlt can't read its notes of the table",
        ),
        (
            "ALTER TABLE hours._dlt_pipeline_state DROP COLUMN state",
            "dlt can't read its notes of the table",
        ),
    ],
)
def test_what_can_not_be_mended_is_refused_and_the_advice_helps(
    load: Load, edit: Callable[[str], None], warehouse: Warehouse, statement: str, message: str
) -> None:
    if "GENERATED" in statement and not isinstance(warehouse, DuckDBFile):
        pytest.skip("sqlglot leaves out that the column is stored, without which there is none")
    edit(statement)
    with pytest.raises(IngestError, match=message) as refused:
        load(CHANGED)
    [advice] = re.findall(r"`((?:DROP|DELETE)[^`]*)`", str(refused.value))
    edit_again(warehouse, advice)
    load(CHANGED)
    assert load(CHANGED).changes.unchanged == 2
    assert entries(warehouse) == [(1, "changed", 1.5), (2, "changed", 2.5)]


@pytest.mark.parametrize(
    ("table", "column"), [("ENTRIES", "name"), ("entries", "NAME"), ("Entries", "Id")]
)
def test_names_in_other_letters_are_the_same_in_duckdb(
    load: Load, edit: Callable[[str], None], warehouse: Warehouse, table: str, column: str
) -> None:
    if not isinstance(warehouse, DuckDBFile):
        pytest.skip("elsewhere they are other names")
    edit(
        "ALTER TABLE hours.entries RENAME TO other; "
        f"ALTER TABLE hours.other RENAME COLUMN {column} TO other; "
        f'ALTER TABLE hours.other RENAME COLUMN other TO "{column}"; '
        f'ALTER TABLE hours.other RENAME TO "{table}"'
    )
    assert load(CHANGED).changes.rows_before == 3
    with warehouse.reading("a test") as opened:
        assert set(opened.column_types("hours", "entries")) == {"id", "name", "hours"}
    assert entries(warehouse) == [(1, "changed", 1.5), (2, "changed", 2.5)]


def test_a_schema_in_other_letters_is_refused_by_duckdb(
    load: Load, edit: Callable[[str], None], warehouse: Warehouse
) -> None:
    if not isinstance(warehouse, DuckDBFile):
        pytest.skip("elsewhere it is another schema")
    edit(
        "CREATE SCHEMA kept; CREATE TABLE kept.entries AS FROM hours.entries; "
        'DROP SCHEMA hours CASCADE; CREATE SCHEMA "HOURS"; '
        "CREATE TABLE hours.entries AS FROM kept.entries"
    )
    with pytest.raises(WarehouseError, match='`DROP SCHEMA "HOURS" CASCADE`'):
        load(CHANGED)
    edit_again(warehouse, 'DROP SCHEMA "HOURS" CASCADE')
    for _ in range(2):
        assert load(CHANGED).changes.row_count == 2


def test_a_newer_release_of_dlt_is_named(load: Load, edit: Callable[[str], None]) -> None:
    edit(
        "UPDATE hours._dlt_version SET schema = regexp_replace(schema, "
        "'\"engine_version\": *[0-9]+', '\"engine_version\": 999')"
    )
    with pytest.raises(WarehouseError, match=r"a newer release of dlt has written hours\.entries"):
        load(CHANGED)


@pytest.mark.parametrize("schema", ["hours", "hours_staging"])
def test_a_renamed_schema_is_made_again(
    load: Load, edit: Callable[[str], None], warehouse: Warehouse, schema: str
) -> None:
    if isinstance(warehouse, DuckDBFile):
        pytest.skip("DuckDB can't rename a schema")
    edit(f"ALTER SCHEMA {schema} RENAME TO other")
    for _ in range(2):
        assert load(CHANGED).changes.row_count == 2
