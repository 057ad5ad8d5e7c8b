"""What Dagster's event log costs in SQLite: a range of partitions with its own storage and with the
one that the shipped `dagster.yaml` names, and the demo, most of whose events are of partitions.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import dagster as dg
from rich.table import Table

from benchmarks.data import DAYS, FIRST_DAY, make_pages
from benchmarks.mock_api import mock_api
from benchmarks.processes import Run, run_process
from benchmarks.project import definitions, environment
from timetracking_assets.cli.workspace import shipped
from timetracking_assets.orchestration.partitions import range_tags

_LAST = date.fromisoformat(FIRST_DAY) + timedelta(days=DAYS - 1)
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_CHECKS = 5
"""How many an asset of ours has at least."""
_OWN, _SHIPPED = "Dagster's own storage", "the shipped one"
_FEW = 1000


def range_of_partitions(data: Path, days: int, rounds: int) -> Table:
    """`days` partitions as one range, of an asset that does nothing and of an API with few rows;
    the latter beside the same load without partitions. CPU seconds of this process, medians.
    """
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = "50"
    names = [(_LAST - timedelta(days=number)).isoformat() for number in reversed(range(days))]
    with (
        mock_api(make_pages(data, _FEW)) as url,
        tempfile.TemporaryDirectory() as directory,
        _instances(Path(directory)) as instances,
    ):
        os.environ.update(environment(url))
        idle = [_idle(names, checks) for checks in (0, _CHECKS)]
        ours = definitions(
            Path(directory) / "warehouse.duckdb"
        ).resolve_implicit_global_asset_job_def()

        def run(job: dg.JobDefinition, storage: str, *keys: str, days: list[str]) -> None:
            job.execute_in_process(
                instance=instances[storage],
                asset_selection=[dg.AssetKey(list(keys))],
                tags=range_tags(days),
                run_config=_QUIET,
            )

        cases: dict[str, Callable[[], None]] = {
            f"{_FEW:,} rows without partitions": lambda: run(
                ours, _SHIPPED, "benchmark", "entries", days=[]
            )
        }
        for storage in (_SHIPPED, _OWN):
            for checks, job in zip(("no check", f"{_CHECKS} checks"), idle, strict=True):
                cases[f"nothing, {checks}, {storage}"] = lambda job=job, storage=storage: run(
                    job, storage, "idle", days=names
                )
            cases[f"{_FEW:,} rows, {storage}"] = lambda storage=storage: run(
                ours, storage, "benchmark", "entries_by_day", days=names
            )
        spent = _alternated(cases, rounds)
    base = spent[f"{_FEW:,} rows without partitions"]
    table = Table("run", title=f"{days} partitions as one range")
    for heading in ("CPU seconds", "seconds", "CPU ms for each", "times without partitions"):
        table.add_column(heading, justify="right")
    for name, times in spent.items():
        cpu = median(cpu for cpu, _ in times)
        table.add_row(
            name,
            f"{cpu:.2f}",
            f"{median(wall for _, wall in times):.2f}",
            f"{cpu / days * 1000:.1f}" if times is not base else "",
            f"{median(a / b for (a, _), (b, _) in zip(times, base, strict=True)):.1f}"
            if "rows" in name
            else "",
        )
    return table


def _alternated(
    cases: dict[str, Callable[[], None]], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """CPU seconds and seconds of each case in each round, but for the first, which warms up."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            cpu, wall = process_time(), perf_counter()
            case()
            if number:
                spent[name].append((process_time() - cpu, perf_counter() - wall))
    return spent


@contextmanager
def _instances(directory: Path) -> Iterator[dict[str, dg.DagsterInstance]]:
    home = directory / "shipped"
    home.mkdir()
    shutil.copy(shipped("dagster.yaml"), home)
    own = directory / "own"
    own.mkdir()
    with (
        dg.DagsterInstance.local_temp(str(own)) as default,
        dg.DagsterInstance.from_config(str(home)) as pooled,
    ):
        yield {_OWN: default, _SHIPPED: pooled}


def _idle(names: list[str], checks: int) -> dg.JobDefinition:
    @dg.asset(
        partitions_def=dg.StaticPartitionsDefinition(names),
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[dg.AssetCheckSpec(f"check_{n}", asset="idle") for n in range(checks)],
    )
    def idle() -> dg.MaterializeResult:
        results = [dg.AssetCheckResult(passed=True, check_name=f"check_{n}") for n in range(checks)]
        return dg.MaterializeResult(check_results=results)

    return dg.Definitions(
        assets=[idle], executor=dg.in_process_executor
    ).resolve_implicit_global_asset_job_def()


def demo(rounds: int) -> Table:
    """`timetracking demo` in a new directory, a process with all that it starts."""
    command = "from timetracking_assets.cli.main import app; app(['demo'], standalone_mode=False)"
    runs: list[Run] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as directory, chdir(directory):
            home = {"TIMETRACKING_HOME": f"{directory}/home"}
            runs.append(run_process([sys.executable, "-c", f"{command}; print('{{}}')"], home))
    table = Table("the demo", title=f"medians of {rounds}")
    for heading, value in (
        ("seconds", median(run.seconds for run in runs)),
        ("CPU seconds", median(run.cpu_seconds for run in runs)),
    ):
        table.add_row(heading, f"{value:.1f}")
    return table
