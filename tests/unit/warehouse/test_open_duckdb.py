"""What the open DuckDB file says of its tables."""

from __future__ import annotations

from pathlib import Path

from timetracking_assets.warehouse.duckdb_file import DuckDBFile


def test_column_types_in_order(tmp_path: Path) -> None:
    with DuckDBFile(tmp_path / "warehouse.duckdb").exclusive("me") as held:
        assert held.column_types("hours", "entries") == {}
        held.scratch.execute("CREATE SCHEMA hours")
        held.scratch.execute("CREATE TABLE hours.entries (id BIGINT, begun TIMESTAMPTZ, x JSON)")
        held.scratch.execute("CREATE TABLE main.entries (other BIGINT)")
        types = held.column_types("hours", "entries")
    assert list(types.items()) == [
        ("id", "bigint"),
        ("begun", "timestamp"),
        ("x", "json"),
    ]


def test_columns_of_a_table_inside_and_outside_a_transaction(tmp_path: Path) -> None:
    """A table that doesn't exist has none, and spoils no transaction."""
    warehouse = DuckDBFile(tmp_path / "warehouse.duckdb")
    with warehouse.exclusive("a test", dataset="hours") as opened:
        opened.change("CREATE SCHEMA hours")
        opened.change('CREATE TABLE hours.days (day DATE, "The hours" DOUBLE, kept TIMESTAMPTZ)')
        expected = {"day": "date", "The hours": "double", "kept": "timestamp"}
        assert opened.column_types("hours", "days") == expected
        assert opened.column_types("hours", "weeks") == opened.column_types("other", "days") == {}
        with opened.transaction():
            assert opened.column_types("hours", "weeks") == {}
            opened.change("CREATE TABLE hours.weeks (week BIGINT)")
            assert opened.column_types("hours", "weeks") == {"week": "bigint"}
            assert opened.column_types("hours", "days") == expected
        assert opened.column_types("hours", "weeks") == {"week": "bigint"}
