"""The embedded warehouse while its lock is held: what tables it has, and changes of their rows.

Locking, opening and publishing the file are in `duckdb_file.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from timetracking_assets.warehouse.base import MergeSql, OpenWarehouse, literal, quoted
from timetracking_assets.warehouse.duckdb_destination import DuckDBDestination
from timetracking_assets.warehouse.types import SQL_TYPES

_OF_ROWS = ("INSERT ", "UPDATE ", "DELETE ")
"""What statements begin with that leave the definitions of tables as they are."""
_TYPES = {sql_type: name for name, sql_type in SQL_TYPES.items()}


class OpenDuckDB(OpenWarehouse):
    """The file while its lock is held; what is compared with its tables is compared in it."""

    keeps_json_text = True
    ignores_case = True
    dialect = "duckdb"

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        waited: float = 0.0,
        *,
        path: Path | None = None,
        database: str = "",
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.scratch, self.waited = connection, waited
        self._path, self._database = path, database
        self._columns: dict[tuple[str, str], dict[str, str]] | None = {}
        self._in_transaction = False
        self._settings = {} if settings is None else settings
        self._destinations: list[DuckDBDestination] = []

    def destination(self, merge: MergeSql | None = None) -> DuckDBDestination:
        """The dlt destination, for as long as the file is open; see `OpenWarehouse`."""
        # from now on dlt may change any table
        self._columns = None
        assert self._path is not None, "a published copy is read only"
        destination = DuckDBDestination(
            self._path, self.scratch, self._database, merge, self._settings
        )
        self._destinations.append(destination)
        return destination

    def close(self) -> None:
        """End dlt's sessions."""
        for destination in self._destinations:
            destination.close()

    def column_types(self, dataset: str, table: str) -> dict[str, str]:
        """Column names and types of a table; see `OpenWarehouse`."""
        if self._columns is None or self._in_transaction:
            return self._column_types(dataset, table)
        # who holds the lock is the only one to change them
        columns = self._columns.get((dataset, table)) or self._column_types(dataset, table)
        self._columns[dataset, table] = columns
        return dict(columns)

    def _column_types(self, dataset: str, table: str) -> dict[str, str]:
        if self._in_transaction:
            # which would fail with DESCRIBE, if the table didn't exist
            self.scratch.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = "
                "current_database() AND schema_name = $1 AND table_name = $2 ORDER BY column_index",
                [dataset, table],
            )
        else:
            try:
                # a load asks some twenty times; the other way takes four times as long, and twenty
                # times in a file that has just been opened
                described = f"DESCRIBE {quoted(dataset, table)}"
                self.scratch.execute(f"SELECT column_name, column_type FROM ({described})")
            except duckdb.CatalogException:
                return {}
        columns = self.scratch.fetchall()
        return {name: _TYPES.get(kind, kind) for name, kind in columns}

    def table_kinds(self, dataset: str) -> list[tuple[str, str, str]]:
        """Schema, name and kind of what is in a dataset; see `OpenWarehouse`."""
        return self.rows(
            "SELECT table_schema, table_name, table_type FROM information_schema.tables "
            "WHERE table_catalog = current_database() "
            f"AND lower(table_schema) = {literal(dataset.lower())}"
        )

    def constraints(self, dataset: str, table: str) -> list[str]:
        """The constraints of a table; see `OpenWarehouse`."""
        found = self.rows(
            "SELECT constraint_text FROM duckdb_constraints() WHERE database_name = "
            f"current_database() AND schema_name = {literal(dataset)} "
            f"AND table_name = {literal(table)} AND constraint_type <> 'NOT NULL'"
        )
        return [text for (text,) in found]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.scratch.execute(sql).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside, or none."""
        self.scratch.begin()
        self._in_transaction = True
        try:
            yield
        except BaseException:
            self.scratch.rollback()
            raise
        else:
            self.scratch.commit()
        finally:
            self._in_transaction = False

    def change(self, sql: str) -> None:
        """Do what a statement says."""
        if self._columns and not sql.startswith(_OF_ROWS):
            self._columns.clear()
        self.scratch.execute(sql)

    def in_scratch(
        self,
        dataset: str,
        table: str,
        *,
        where: str = "true",
        keys: Sequence[str] = (),
        of: str = "",
        columns: Sequence[str] | None = None,
    ) -> str:
        """The table itself."""
        return quoted(dataset, table)
