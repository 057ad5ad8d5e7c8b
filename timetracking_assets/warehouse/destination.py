"""Any other of dlt's SQL destinations as the warehouse, through dlt's own client.

PostgreSQL has a lock of its own; what holds for destinations that have none is in
`docs/destinations.md`. Settings are in `destination_settings.py`, the embedded file is in
`duckdb_file.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from timetracking_assets.errors import WarehouseError
from timetracking_assets.warehouse.base import (
    Log,
    MergeSql,
    OpenWarehouse,
    Warehouse,
    literal,
    quoted,
)
from timetracking_assets.warehouse.destination_settings import (
    DestinationSettings,
    find_destination,
    in_dialect,
)
from timetracking_assets.warehouse.locks import advisory_lock, file_lock
from timetracking_assets.warehouse.private_files import private_files
from timetracking_assets.warehouse.scratch import (
    fill,
    is_few,
    key_conditions,
    open_scratch,
    selection,
)

_ANY_DATASET = "timetracking"
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class DestinationWarehouse(Warehouse):
    """dlt's destination `name`; `home` is where loads keep their files meanwhile.

    `credentials` are a connection string; without, dlt's settings apply.
    """

    name: str
    home: Path
    credentials: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self._settings.location

    @cached_property
    def _settings(self) -> DestinationSettings:
        return DestinationSettings(self.name, self.credentials)

    @property
    def is_shared(self) -> bool:
        """Whether the lock is the server's."""
        return self._settings.is_postgres

    @property
    def directory(self) -> Path:
        """The local directory."""
        return self.home

    @property
    def work_dir(self) -> Path:
        """Below the local directory: only loads that are going on have files there."""
        return self.home / f"{self.name}.loads"

    def destination(self, merge: MergeSql | None = None) -> Any:
        """The dlt destination; see `OpenWarehouse`."""
        if merge is None:
            return self._settings.factory
        translated = MergeSql(
            first=[self.in_dialect(sql) for sql in merge.first],
            scope=self.in_dialect(merge.scope) if merge.scope else None,
        )
        return find_destination(self.name, self.credentials, translated)

    def prepare(self) -> None:
        """Check the settings, and make the local directory. No connection is opened."""
        self._make_home()
        self._settings.client(_ANY_DATASET)

    def _make_home(self) -> None:
        problem = ""
        try:
            with private_files():
                self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = str(error.strerror)
        if problem or not os.access(self.home, os.W_OK):
            raise WarehouseError(
                f"can't write {self.home}, where loads keep their files: "
                f"{problem or 'permission denied'}. Set TIMETRACKING_HOME to a directory that can "
                "be written."
            )

    def redactor(self, text: str) -> str:
        """`text` without the destination's credentials."""
        return self._settings.redactor(text)

    def in_dialect(self, sql: str) -> str:
        """`sql` as the destination understands it."""
        return in_dialect(sql, self._settings.capabilities)

    @contextmanager
    def exclusive(
        self, holder: str, log: Log | None = None, *, dataset: str
    ) -> Iterator[OpenDestination]:
        """The destination, with no other load into `dataset`.

        On PostgreSQL the lock is the server's, elsewhere a file's on this machine.
        """
        self._make_home()
        with ExitStack() as stack:
            what = f"the dataset {dataset} of the warehouse {self.name}"
            client = self._settings.client(dataset)
            if not self._settings.is_postgres:
                path = self.home / f"{self.name}.{dataset}.lock"
                note = path.with_suffix(".holder")
                waited = stack.enter_context(
                    file_lock(path, note, what, holder, self.lock_timeout, log)
                )
            opened = stack.enter_context(self._opened(client))
            if self._settings.is_postgres:
                waited = stack.enter_context(
                    advisory_lock(opened.rows, dataset, what, holder, self.lock_timeout, log)
                )
            opened.waited = waited
            yield opened

    @contextmanager
    def reading(self, holder: str) -> Iterator[OpenDestination]:
        """The destination without a lock: a server lets readers and loads work side by side."""
        with self._opened(self._settings.client(_ANY_DATASET)) as opened:
            yield opened

    def has_dataset(self, dataset: str) -> bool:
        """Whether the dataset exists."""
        with self._opened(self._settings.client(dataset)) as opened:
            return bool(opened.client.sql_client.has_dataset())

    @contextmanager
    def _opened(self, client: Any) -> Iterator[OpenDestination]:
        problem = ""
        try:
            client.sql_client.open_connection()
        except Exception as error:
            problem = self._settings.masked_message(error)
        if problem:
            raise WarehouseError(
                f"can't open the warehouse {self.name}: {problem}. {self._settings.advice}"
            )
        with ExitStack() as stack:
            stack.callback(client.sql_client.close_connection)
            opened = OpenDestination(self, client)
            stack.callback(opened.close_scratch)
            yield opened


class OpenDestination(OpenWarehouse):
    """A destination with an open connection, and a DuckDB in memory for what is compared."""

    keeps_json_text = False
    ignores_case = False

    def __init__(self, warehouse: DestinationWarehouse, client: Any) -> None:
        self._warehouse, self.client = warehouse, client
        self.waited = 0.0
        self.dialect = str(client.capabilities.sqlglot_dialect)

    @cached_property
    def scratch(self) -> duckdb.DuckDBPyConnection:  # type: ignore[override]
        """A DuckDB in memory, made when it is first used: most queries need none."""
        return open_scratch(self._warehouse.work_dir)

    def close_scratch(self) -> None:
        """Drop the copies, if there are any."""
        if "scratch" in self.__dict__:
            self.scratch.close()

    def destination(self, merge: MergeSql | None = None) -> Any:
        """The dlt destination, with a transaction around each merge where it knows them."""
        return self._warehouse.destination(merge)

    def column_types(self, dataset: str, table: str) -> dict[str, str]:
        """Column names and types of a table; see `OpenWarehouse`."""
        with self.client.sql_client.with_alternative_dataset_name(dataset):
            _, columns = self.client.get_storage_table(table)
        return {name: str(column.get("data_type")) for name, column in columns.items()}

    def table_kinds(self, dataset: str) -> list[tuple[str, str, str]]:
        """Schema, name and kind of what is in a dataset, on PostgreSQL; see `OpenWarehouse`."""
        if self.dialect != "postgres":
            return []
        kinds = self.rows(
            "SELECT n.nspname, c.relname, CASE c.relkind WHEN 'r' THEN 'BASE TABLE' WHEN 'p' THEN "
            "'BASE TABLE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE "
            "'FOREIGN TABLE' END FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
            "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') "
            f"AND n.nspname = {literal(dataset)}"
        )
        return [(str(schema), str(name), str(kind)) for schema, name, kind in kinds]

    def constraints(self, dataset: str, table: str) -> list[str]:
        """The constraints of a table, on PostgreSQL; see `OpenWarehouse`."""
        if self.dialect != "postgres":
            return []
        found = self.rows(
            "SELECT r.conname FROM pg_catalog.pg_constraint r "
            "JOIN pg_catalog.pg_class c ON c.oid = r.conrelid "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE r.contype <> 'n' "
            f"AND n.nspname = {literal(dataset)} AND c.relname = {literal(table)}"
        )
        return [str(name) for (name,) in found]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises WarehouseError if it can't be answered."""
        return [tuple(row) for rows in self._batches(sql) for row in rows]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside, or none; where the server can, of one state of the whole database."""
        with self.client.sql_client.begin_transaction():
            if self.dialect == "postgres":
                self.change("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def change(self, sql: str) -> None:
        """Do what a statement says."""
        for _ in self._batches(sql):
            pass

    def _batches(self, sql: str) -> Iterator[Sequence[tuple[Any, ...]]]:
        problem = ""
        try:
            with self.client.sql_client.execute_query(self._warehouse.in_dialect(sql)) as cursor:
                while cursor.description is not None and (rows := cursor.fetchmany(_ROWS_AT_ONCE)):
                    yield rows
        except Exception as error:
            problem = self._warehouse.redactor(" ".join(str(error).split()))
        if problem:
            raise WarehouseError(f"the warehouse {self._warehouse.name} can't answer: {problem}")

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
        """A copy of the rows that are compared; of all rows where most of them are."""
        types = self.column_types(dataset, table)
        kept = {name: kind for name, kind in types.items() if columns is None or name in columns}
        select = selection(kept, dataset, table)
        if keys and where != "true":
            rows = self.number(f"SELECT count(*) FROM {quoted(dataset, table)}")
            if is_few(self.scratch, of, rows):
                key_types = {name: types[name] for name in keys}
                inside = [f"{select} WHERE {where}"] if where != "false" else []
                queries = inside + [
                    f"{select} WHERE ({condition}) AND NOT coalesce({where}, false)"
                    for condition in key_conditions(self.scratch, key_types, of)
                ]
                return fill(self.scratch, kept, queries, self._batches)
        return fill(self.scratch, kept, [select], self._batches)
