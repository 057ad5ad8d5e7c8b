"""Copies of the model for programs that can't open the warehouse: a DuckDB file, Parquet files.

A copy is replaced at once and as a whole; who has the old one open goes on reading it. New files
are for their user alone, as they tell who worked how much; an old one's mode stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from timetracking_assets.errors import WarehouseError
from timetracking_assets.hours.tables import SCHEMA
from timetracking_assets.spec.hours_model import CopiesSpec
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted
from timetracking_assets.warehouse.private_files import private_files

STORAGE_VERSION = "v1.2.0"
"""What clients from DuckDB 1.2 on can open: BI tools are slow to follow."""


@dataclass(frozen=True)
class Copies:
    """The copies that a project has chosen; a name without a folder is beside the warehouse."""

    duckdb: Path | None = None
    parquet: Path | None = None

    @classmethod
    def of(cls, spec: CopiesSpec, folder: Path) -> Copies:
        """Those of `copies` in the file of the model."""
        duckdb, parquet = (
            folder / Path(name).expanduser() if name else None
            for name in (spec.duckdb, spec.parquet)
        )
        return cls(duckdb, parquet)

    def begin(self) -> bool:
        """Note that they may be older than the model from now on, however this process ends.

        True if one is missing, or was older before: one build wrote the model and no copy.
        """
        older = [path for path in self._targets if not path.exists() or _mark(path).exists()]
        for path in self._targets:
            # what can't be written is reported when it is
            with suppress(OSError), private_files():
                path.parent.mkdir(parents=True, exist_ok=True)
                _mark(path).touch()
        return bool(older)

    def write(self, opened: OpenWarehouse, tables: Sequence[str]) -> None:
        """Replace them by the tables as they are. Raises WarehouseError."""
        if self.duckdb:
            write_duckdb(opened, tables, self.duckdb)
        if self.parquet:
            write_parquet(opened, tables, self.parquet)
        self.end()

    def end(self) -> None:
        """Note that they are those of the model."""
        for path in self._targets:
            with suppress(OSError):
                _mark(path).unlink(missing_ok=True)

    @property
    def _targets(self) -> list[Path]:
        return [path for path in (self.duckdb, self.parquet) if path]


def _mark(target: Path) -> Path:
    return target.with_name(f".{target.name}.older")


def write_duckdb(opened: OpenWarehouse, tables: Sequence[str], target: Path) -> None:
    """The tables as one DuckDB file. Raises WarehouseError."""

    def write(unfinished: Path) -> None:
        scratch = opened.scratch
        scratch.execute(
            f"ATTACH {literal(str(unfinished))} AS hours_copy "
            f"(STORAGE_VERSION {literal(STORAGE_VERSION)})"
        )
        try:
            scratch.execute(f"CREATE SCHEMA hours_copy.{quoted(SCHEMA)}")
            for name in tables:
                scratch.execute(
                    f"CREATE TABLE hours_copy.{quoted(SCHEMA, name)} AS FROM "
                    f"{_relation(opened, name)}"
                )
        finally:
            scratch.execute("DETACH hours_copy")

    _replace(target, write)


def write_parquet(opened: OpenWarehouse, tables: Sequence[str], directory: Path) -> None:
    """A Parquet file for each table, `<table>.parquet`. Raises WarehouseError."""
    for name in tables:

        def write(unfinished: Path, name: str = name) -> None:
            opened.scratch.execute(
                f"COPY (FROM {_relation(opened, name)}) TO {literal(str(unfinished))} "
                "(FORMAT parquet, COMPRESSION zstd)"
            )

        _replace(directory / f"{name}.parquet", write)


def _relation(opened: OpenWarehouse, table: str) -> str:
    return opened.in_scratch(SCHEMA, table)


def _replace(target: Path, write: Callable[[Path], None]) -> None:
    unfinished = target.with_name(f".{target.name}.new")
    problem = ""
    try:
        with private_files():
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished.unlink(missing_ok=True)
            write(unfinished)
        if target.exists():
            unfinished.chmod(target.stat().st_mode)
        unfinished.replace(target)
    except Exception as error:
        problem = " ".join(str(error).split())
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    if problem:
        raise WarehouseError(f"can't write the copy {target}: {problem}")
