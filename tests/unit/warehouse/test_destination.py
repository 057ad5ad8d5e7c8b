"""What a destination other than DuckDB is asked, as far as no server is needed to know it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from timetracking_assets.errors import LockTimeoutError, WarehouseError
from timetracking_assets.warehouse.destination import DestinationWarehouse
from timetracking_assets.warehouse.destination_settings import find_destination, in_dialect
from timetracking_assets.warehouse.duckdb_file import DuckDBFile
from timetracking_assets.warehouse.find import find_warehouse
from timetracking_assets.warehouse.locks import file_lock
from timetracking_assets.warehouse.scratch import canonical_json, key_conditions


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"b":[1,2],"a":1}'),
        ("1e3", "1000"),
        ("1.50", "1.5"),
        ("-0.0", "0"),
        ("0.1000000000000000000000000000000000001", "1000000000000000000000000000000000001e-37"),
        ('"\\u00e9"', '"é"'),
    ],
)
def test_equal_json_has_one_form(one: str, other: str) -> None:
    assert canonical_json(one) == canonical_json(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[1, 2]", "[2, 1]"),
        ("1", '"1"'),
        ("1", "true"),
        ("null", "0"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012346"),
        ("{}", "[]"),
    ],
)
def test_different_json_has_two(one: str, other: str) -> None:
    assert canonical_json(one) != canonical_json(other)


def test_text_that_is_no_json_stays() -> None:
    assert canonical_json("no json") == "no json"
    assert canonical_json(None) is None


def test_sql_is_put_into_the_words_of_a_destination() -> None:
    scope = '"day" >= DATE \'2026-01-01\' OR ("id") IN (SELECT "id" FROM {staging_table})'
    postgres = in_dialect(scope, find_destination("postgres").capabilities())
    assert '"id"' in postgres
    assert "FROM {staging_table}" in postgres
    snowflake = in_dialect(scope, find_destination("snowflake").capabilities())
    assert '"ID"' in snowflake
    bigquery = in_dialect(scope, find_destination("bigquery").capabilities())
    assert "`id`" in bigquery


@pytest.mark.parametrize(
    ("name", "transactions"), [("postgres", True), ("snowflake", True), ("bigquery", False)]
)
def test_a_merge_is_a_transaction_where_there_are_some(name: str, transactions: bool) -> None:
    found = find_destination(name)
    assert found.capabilities().supports_transactions is transactions
    assert (found.destination_name, found.destination_type) == (name, f"dlt.destinations.{name}")


def test_keys_are_requested_by_the_thousand() -> None:
    with duckdb.connect() as scratch:
        scratch.execute("CREATE TABLE k AS SELECT range AS id, 'it''s' AS name FROM range(1500)")
        [first, second] = key_conditions(scratch, {"id": "bigint"}, "k")
        assert (first.count(","), second.count(",")) == (999, 499)
        pairs = list(key_conditions(scratch, {"id": "bigint", "name": "text"}, "k"))
        found = [scratch.execute(f"SELECT count(*) FROM k WHERE {c}").fetchone() for c in pairs]
    assert found == [(1000,), (500,)]


def test_the_environment_names_the_warehouse(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIMETRACKING_WAREHOUSE", str(tmp_path / "w.duckdb"))
    monkeypatch.delenv("WAREHOUSE_DESTINATION", raising=False)
    assert find_warehouse() == DuckDBFile(tmp_path / "w.duckdb")
    monkeypatch.setenv("WAREHOUSE_DESTINATION", "postgres")
    assert find_warehouse() == DestinationWarehouse("postgres", tmp_path)


def test_what_can_not_be_loaded_into_is_refused_before_an_api_is_asked(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"WAREHOUSE_DESTINATION is 'postgress'"):
        DestinationWarehouse("postgress", tmp_path).prepare()
    warehouse = DestinationWarehouse("postgres", tmp_path)
    with pytest.raises(WarehouseError, match=r"lacks .*DESTINATION__POSTGRES__CREDENTIALS"):
        warehouse.prepare()


def test_a_lock_of_a_file_says_who_holds_it(tmp_path: Path) -> None:
    lock, note = tmp_path / "a.lock", tmp_path / "a.holder"
    with (
        file_lock(lock, note, "the dataset hours", "run 7", 1),
        pytest.raises(LockTimeoutError, match=r"dataset hours, held by run 7 \(process \d+\)"),
        file_lock(lock, note, "the dataset hours", "run 8", 0.1),
    ):
        pass
    assert not note.exists()


def test_a_destination_whose_settings_have_no_text_is_called_by_its_name(tmp_path: Path) -> None:
    assert str(DestinationWarehouse("ducklake", tmp_path)) == "ducklake"
