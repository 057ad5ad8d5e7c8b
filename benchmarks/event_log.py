"""A Dagster instance with a long history: 36 assets, 730 daily partitions, 5 checks each.

Two days are real runs; the days between are copies of the first one's rows, because writing 300,000
events through Dagster would take half an hour. What a report reads is what Dagster wrote.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg


def definitions(assets: int, days: int, checks: int) -> dg.Definitions:
    """`assets` daily assets in groups of 8, each with `checks` checks and what a load reports."""
    start = datetime.now(UTC).date() - timedelta(days=days)
    partitions = dg.DailyPartitionsDefinition(start_date=start.isoformat())
    return dg.Definitions(
        assets=[_asset(number, checks, partitions) for number in range(assets)],
        executor=dg.in_process_executor,
    )


def _asset(
    number: int, checks: int, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    key = dg.AssetKey([f"api_{number // 8}", f"resource_{number}"])
    specs = [dg.AssetCheckSpec(f"check_{n}", asset=key) for n in range(checks)]
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


def build(home: Path, defs: dg.Definitions, days: int) -> None:
    """Make an instance in `home` with a run for each day."""
    home.mkdir(parents=True)
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
