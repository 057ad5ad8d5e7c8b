"""`timetracking demo`, run once for all tests that look at what it leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from filelock import FileLock

from tests.support import throwaway_postgres
from tests.support.warehouses import ask, columns, named_database


@dataclass(frozen=True)
class Demo:
    """What `timetracking demo` did, once for all tests that look at it."""

    code: int
    output: str
    home: Path
    day: date
    """On which it began, in UTC."""
    variables: Mapping[str, str]
    """Those that name its warehouse, where it isn't the DuckDB file."""

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a query gives."""
        url = self.variables.get("DESTINATION__POSTGRES__CREDENTIALS", "")
        return ask(self.warehouse, query, parameters, url, read_only=True)

    def columns(self, table: str) -> list[str]:
        """The columns of `schema.table`, in order."""
        return columns(table, self.sql)

    @property
    def warehouse(self) -> Path:
        """The DuckDB file with all tables."""
        return self.home / "sandbox" / "warehouse.duckdb"

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The instance with the demo's runs."""
        with dg.DagsterInstance.from_config(
            str(self.home / "sandbox" / "dagster_home")
        ) as instance:
            yield instance


def run_demo(directory: Path, environment: Mapping[str, str]) -> Demo:
    """The demo as a user starts it, in `directory`; once, for all processes that call this."""
    home, record = directory / "home", directory / "result.json"
    with FileLock(f"{directory}.lock"):
        if not record.exists():
            directory.mkdir()
            variables = {}
            if throwaway_postgres.available():
                variables = named_database(throwaway_postgres.new_database())
            day = datetime.now(UTC).date().isoformat()
            result = subprocess.run(
                [str(Path(sys.executable).with_name("timetracking")), "demo"],
                cwd=directory,
                env={
                    **environment,
                    **variables,
                    "TIMETRACKING_HOME": str(home),
                    "COLUMNS": "120",
                },
                capture_output=True,
                text=True,
                timeout=500,
            )
            output = result.stdout + result.stderr
            record.write_text(json.dumps([result.returncode, output, day, variables]))
    code, output, day, variables = json.loads(record.read_text())
    return Demo(code, output, home, date.fromisoformat(day), variables)
