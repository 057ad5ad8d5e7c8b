"""A Dagster instance with a long history: a load of each asset on each day, checks included.

Two days are real runs; the days between are copies of the first one's rows, because writing 300,000
events through Dagster would take half an hour. What a report reads is what Dagster wrote.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg


def definitions(checks: Mapping[dg.AssetKey, Sequence[str]], days: int) -> dg.Definitions:
    """Daily assets with the named `checks` and what a load reports."""
    start = datetime.now(UTC).date() - timedelta(days=days)
    partitions = dg.DailyPartitionsDefinition(start_date=start.isoformat())
    return dg.Definitions(
        assets=[_asset(key, names, partitions) for key, names in checks.items()],
        executor=dg.in_process_executor,
    )


def _asset(
    key: dg.AssetKey, checks: Sequence[str], partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    specs = [dg.AssetCheckSpec(name, asset=key) for name in checks]
    columns = [dg.TableColumn(f"column_{n}", "text", f"Column {n}") for n in range(14)]

    @dg.asset(
        key=key,
        group_name=key.path[0],
        partitions_def=partitions,
        check_specs=specs,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def load() -> dg.MaterializeResult:
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": 1000,
                "dagster/column_schema": dg.TableSchema(columns),
                "dagster/partition_row_count": 10,
                **{f"rows_{word}": 3 for word in ("inserted", "updated", "deleted", "unchanged")},
                **{f"seconds_{word}": 0.25 for word in ("extract", "normalize", "load")},
                "requests": 4,
                "retries": 0,
                "bytes": 4000,
            },
            check_results=[
                dg.AssetCheckResult(check_name=spec.name, passed=True, metadata={"rows": 1000})
                for spec in specs
            ],
        )

    return load


@contextmanager
def history(home: Path, defs: dg.Definitions, days: int) -> Iterator[dg.DagsterInstance]:
    """The instance below `home`, kept for the rest of the day; it is built if it does not exist."""
    home = home / datetime.now(UTC).date().isoformat()
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=home.parent))
        try:
            _build(unfinished, defs, days)
            unfinished.rename(home)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def _build(home: Path, defs: dg.Definitions, days: int) -> None:
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    first = datetime.now(UTC).date() - timedelta(days=days)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.from_config(str(home)) as instance:
        job = defs.resolve_implicit_global_asset_job_def()

        def run(day: date) -> str:
            key = day.isoformat()
            return job.execute_in_process(
                instance=instance, partition_key=key, run_config=quiet
            ).run_id

        template = run(first)
        between = [first + timedelta(days=number) for number in range(1, days - 1)]
        _copy_runs(home / "history", template, first, between)
        run(first + timedelta(days=days - 1))


def _copy_runs(storage: Path, template: str, first: date, days: Sequence[date]) -> None:
    swaps = [
        ({template: str(uuid.uuid4()), first.isoformat(): day.isoformat()}, day) for day in days
    ]
    for file, tables in {
        storage / "runs.db": ("runs", "run_tags"),
        storage / "runs" / "index.db": ("event_logs", "asset_check_executions"),
    }.items():
        with closing(sqlite3.connect(file)) as connection, connection:
            for swap, day in swaps:
                # a clock that goes on: the copies lie in the past, a day apart
                shift = ((day - first).days - len(days) - 2) * 86400
                for table in tables:
                    _copy(connection, table, template, swap, shift)


def _copy(
    connection: sqlite3.Connection, table: str, template: str, swap: dict[str, str], shift: int
) -> None:
    columns = {
        name: kind
        for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
        if name != "id"
    }
    values = []
    for name, kind in columns.items():
        value = f'"{name}"'
        if kind.startswith(("VARCHAR", "TEXT")):
            for old, new in swap.items():
                value = f"replace({value}, '{old}', '{new}')"
        elif kind in ("DATETIME", "TIMESTAMP"):
            value = f"strftime('%Y-%m-%d %H:%M:%f', {value}, '{shift} seconds')"
        elif kind == "FLOAT":
            value = f"{value} + {shift}"
        values.append(value)
    names = ", ".join(f'"{name}"' for name in columns)
    connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} "
        "WHERE run_id = ? ORDER BY id",
        [template],
    )
