"""What the project asks of a warehouse, whichever of dlt's destinations it is.

Only the interface and what all warehouses share belong here. The DuckDB file is in
`duckdb_file.py`, every other destination in `destination.py`. Rows get in through dlt alone
(`ingest/load/run.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

Log = Callable[[str], None]


_OF_TABLE = {"DataError", "IntegrityError", "NotSupportedError", "ProgrammingError"}
"""What DB-API calls errors that lie in the data or in the definition of tables."""


def quoted(*names: str) -> str:
    """A quoted SQL identifier, its parts joined by dots."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def staging_dataset(dataset: str) -> str:
    """Where dlt keeps what the last load of each table has written, until the next one."""
    return f"{dataset}_staging"


@dataclass(frozen=True)
class MergeSql:
    """What one load adds to dlt's merge of its table: it is part of the load, not of the schema.

    dlt would note a hint that differs from load to load as another version of the schema.
    """

    first: Sequence[str] = ()
    """Statements that the merge executes first, in its transaction."""
    scope: str | None = None
    """The rows that the answer replaces, as a condition; None: those that have its keys."""


@dataclass(frozen=True)
class Warehouse(ABC):
    """Where tables are: one dataset (schema) for each API.

    SQL is written once, in what DuckDB and PostgreSQL have in common and with identifiers in double
    quotes; `in_dialect` puts it into the destination's dialect.
    """

    lock_timeout: float = field(default=600.0, kw_only=True)
    """Seconds to wait while another load has the lock."""

    @property
    def is_shared(self) -> bool:
        """Whether loads on several machines are kept apart."""
        return False

    @property
    @abstractmethod
    def directory(self) -> Path:
        """Where files for readers are by default: copies of the model, the health report."""

    @property
    @abstractmethod
    def work_dir(self) -> Path:
        """Where loads keep their private working directories."""

    @abstractmethod
    def prepare(self) -> None:
        """Raises WarehouseError if nothing could be loaded here: before any request is sent."""

    @abstractmethod
    def exclusive(
        self, holder: str, log: Log | None = None, *, dataset: str
    ) -> AbstractContextManager[OpenWarehouse]:
        """The warehouse, with no other load into `dataset` meanwhile; it waits for these.

        `holder` says who, for others that wait. Raises LockTimeoutError, or WarehouseError if the
        warehouse can't be opened.
        """

    @abstractmethod
    def reading(self, holder: str) -> AbstractContextManager[OpenWarehouse]:
        """The warehouse as readers see it, without keeping loads waiting where that can be."""

    @abstractmethod
    def has_dataset(self, dataset: str) -> bool:
        """Whether anything has been loaded into `dataset`; a guess that may be too good."""

    def publish(self, holder: str) -> Path | None:
        """Replace the copy that people read; where they read the warehouse itself, None."""
        return None

    def redactor(self, text: str) -> str:
        """`text` without the warehouse's own credentials."""
        return text

    def advice(self, error: BaseException, dataset: str, table: str) -> str:
        """What to do about an error of the database's in a load of `table`, in one sentence; or "".

        Error classes of all drivers have the names of DB-API 2.0.
        """
        if not _OF_TABLE.isdisjoint(kind.__name__ for kind in type(error).__mro__):
            tables = [quoted(dataset, table), quoted(staging_dataset(dataset), table)]
            return (
                f"If somebody has changed the table {dataset}.{table} by hand, such as by a "
                "constraint, undo that, or remove it and its staging table "
                f"(`{'; '.join(f'DROP TABLE {name}' for name in tables)}`), then load again."
            )
        return ""

    def in_dialect(self, sql: str) -> str:
        """`sql` as the destination understands it."""
        return sql


class OpenWarehouse(ABC):
    """The warehouse while it can be queried; `waited` is the seconds that it took to get the lock.

    `scratch` is a DuckDB connection in which an answer's files and rows of its table can be
    compared: the warehouse itself, or one in memory beside it.
    """

    waited: float
    dialect: str
    """Its dialect of SQL, by sqlglot's name: `duckdb`, `postgres`."""
    scratch: duckdb.DuckDBPyConnection
    keeps_json_text: bool
    """Whether JSON comes out as it went in; else it is in canonical form in `scratch`."""

    ignores_case: bool
    """Whether names that differ only in case are the same one, even in quotes."""

    @abstractmethod
    def destination(self, merge: MergeSql | None = None) -> Any:
        """The dlt destination, its merges with `merge`; to be loaded into while this is open.

        Raises WarehouseError if its settings are missing or wrong.
        """

    @abstractmethod
    def column_types(self, dataset: str, table: str) -> dict[str, str]:
        """Column names and types of a table, in order; empty if the table doesn't exist.

        Types are dlt's names (`text`, `bigint`, ...), or SQL's own where dlt has none.
        """

    @abstractmethod
    def table_kinds(self, dataset: str) -> list[tuple[str, str, str]]:
        """Schema, name and kind (`BASE TABLE`, `VIEW`) of all tables in a dataset.

        Where case is ignored, also in schemas of the same name in other letters. Empty where it is
        not known how to query that.
        """

    @abstractmethod
    def constraints(self, dataset: str, table: str) -> list[str]:
        """The constraints of a table but for NOT NULL, as SQL; empty where that is not known."""

    @abstractmethod
    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query. For counts, samples and ids, not for tables."""

    def number(self, sql: str) -> int:
        """The one number that a query gives."""
        [[value]] = self.rows(sql)
        return int(value)

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside, or none if it ends by an error; queries see one state throughout."""

    @abstractmethod
    def change(self, sql: str) -> None:
        """Do what a statement says. For the types of columns; rows come through dlt."""

    @abstractmethod
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
        """A relation in `scratch` with at least those rows of a table that are to be compared.

        These are the rows for which `where` is true, and those whose `keys` are in the scratch's
        relation `of`; without these, the whole table. `columns`: those needed, or all.
        """
