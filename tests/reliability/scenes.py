"""A table, an API that holds something else by now, and a load between the two that may fail."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.reliability.faulty_load import Fault, Job, start
from tests.support.warehouses import ask

# no column has a word of DDL in its name (`created_at`): dlt would take its merge for DDL
API, RESOURCE = "resource_management", "project_tasks"
Rows = list[tuple[Any, ...]]
# three pages, so that a fault can come between two of them
BEFORE = [{"id": number, "name": f"as it was: {number}"} for number in range(500)]
AFTER = [
    {"id": row["id"], "name": "changed" if row["id"] % 50 == 0 else row["name"]}
    for row in BEFORE[:-20]
] + [{"id": 1000 + number, "name": "new"} for number in range(10)]
LASTING = {"warehouse.duckdb", "warehouse.duckdb.lock", "warehouse.duckdb.loads", "postgres.loads"}


def as_rows(rows: Sequence[dict[str, Any]]) -> Rows:
    """Rows of the API as they stand in the table."""
    return sorted((row["id"], row["name"]) for row in rows)


@dataclass(frozen=True)
class Scene:
    """A warehouse of its own, whose table holds `BEFORE` (or isn't there yet); the API, `AFTER`."""

    job: Job
    first: bool = False

    @property
    def directory(self) -> Path:
        return self.job.warehouse.parent

    def run(self, fault: Fault | None = None) -> tuple[int, str]:
        """Load in a process of its own; its exit code and what it printed."""
        output = self.directory.with_suffix(".output")
        output.write_text("")
        process = start(self.job, fault, output)
        process.join(100)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"the load did not end: {output.read_text()}")
        return process.exitcode, output.read_text()

    def table(self) -> Rows | None:
        """What the table holds; a file is read from a copy: reading it would mend it."""
        copy = self.directory.with_suffix(".copy")
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in self.directory.glob("warehouse.duckdb*"):
            if path.is_file():
                shutil.copy(path, copy)

        def rows(query: str, *parameters: str) -> Rows:
            return ask(copy / "warehouse.duckdb", query, parameters, self.job.url)

        exists = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?"
        if not rows(exists, API, RESOURCE):
            return None
        return rows(f"SELECT id, name FROM {API}.{RESOURCE} ORDER BY 1")

    def problem_after(self) -> str | None:
        """What is wrong after the next load, if anything is."""
        code, printed = self.run()
        if code:
            return f"the next load failed: {printed}"
        if self.table() != as_rows(AFTER):
            return f"the next load left another table: {self.table()}"
        left = {path.name for path in self.directory.iterdir()} - LASTING
        work = [path.name for path in self.directory.glob("*.loads/load-*")]
        if left or work:
            return f"left behind: {sorted(left)} {work}"
        with self.job.open(lock_timeout=0.5).exclusive("the test", dataset=API):
            return None
