"""Measurements of the project alone: small loads, backfills, fan-outs, start."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import dlt
import pyarrow as pa
from rich.table import Table

from benchmarks.data import DAYS, FIRST_DAY, make_changes, make_pages
from benchmarks.mock_api import mock_api
from benchmarks.processes import run_process
from benchmarks.project import Loader, Timed
from timetracking_assets.ingest.windows import Window

_FIRST = date.fromisoformat(FIRST_DAY)
_YEAR = Window.of_days(_FIRST, _FIRST + timedelta(days=DAYS))


def _day(number: int) -> Window:
    return Window.of_days(_FIRST + timedelta(days=number), _FIRST + timedelta(days=number + 1))


def small_loads(data: Path, sizes: Sequence[int], rounds: int) -> Table:
    """1,000 changed rows into a table of each size, seconds of this process."""
    table = _table("1,000 changed rows", "rows in the table", "load", "checks", "together", "times")
    first: float | None = None
    for size in sizes:
        whole, changes = make_pages(data, size), make_changes(data, size)
        with mock_api(whole, changes) as url, tempfile.TemporaryDirectory() as directory:
            loader = Loader(url, Path(directory) / "warehouse.duckdb")
            loader.load("entries_changed", _YEAR)
            found = [loader.load("entries_changed", _day(DAYS)) for _ in range(rounds + 1)][1:]
        together = median(one.load + one.checks for one in found)
        first = first or together
        table.add_row(
            f"{size:,}",
            f"{median(one.load for one in found):.2f}",
            f"{median(one.checks for one in found):.2f}",
            f"{together:.2f}",
            f"{together / first:.2f}",
        )
    return table


def backfill(data: Path, rows: int, days: int) -> tuple[Table, Table]:
    """One list, the same as one range of daily partitions, and `days` of them one by one; these
    beside dlt alone, which merges the same rows in turn with us and is given them as a table.
    """
    table = _table(f"{rows:,} rows of {DAYS} days", "load", "seconds", "beside requests", "times")
    whole, by_day = make_pages(data, rows), make_pages(data, rows, lists=DAYS)
    with mock_api(whole, by_day) as url, tempfile.TemporaryDirectory() as directory:
        loader = Loader(url, Path(directory) / "warm.duckdb")
        loader.load("entries_by_day", _day(0))  # imports what it needs
        loader = Loader(url, Path(directory) / "list.duckdb")
        one_list = _sum([loader.load("entries")])
        loader = Loader(url, Path(directory) / "range.duckdb")
        one_range = _sum([loader.load("entries_by_day", _YEAR)])
        answers = _rows_by_day(loader, days)
        loader = Loader(url, Path(directory) / "days.duckdb")
        alone = _DltAlone(Path(directory) / "dlt")
        ours: list[Timed] = []
        both: list[tuple[_Took, _Took]] = []
        for number, answer in enumerate(answers):
            started = _Took()
            ours.append(loader.load("entries_by_day", _day(number)))
            between = _Took()
            alone.merge(answer)
            both.append((between - started, _Took() - between))
        single = _sum(ours)
    for name, (seconds, beside) in (
        ("one list", one_list),
        ("one range", one_range),
        (f"{days} single partitions", single),
    ):
        table.add_row(name, f"{seconds:.2f}", f"{beside:.2f}", f"{seconds / one_list[0]:.2f}")
    # the first makes the table
    return table, _beside_dlt(both[1:])


class _Took:
    """An instant, or the time between two, in milliseconds of this process and of its processors.

    The mock API is a process of its own.
    """

    def __init__(self) -> None:
        self.wall, self.cpu = perf_counter() * 1000, process_time() * 1000

    def __sub__(self, earlier: _Took) -> _Took:
        took = _Took()
        took.wall, took.cpu = self.wall - earlier.wall, self.cpu - earlier.cpu
        return took


def _beside_dlt(both: Sequence[tuple[_Took, _Took]]) -> Table:
    """Medians of single partitions, and of the ratios within each."""
    table = _table("a single partition", "load", "ms", "times", "CPU ms", "times")
    ratio = median(ours.wall / alone.wall for ours, alone in both)
    cpu_ratio = median(ours.cpu / alone.cpu for ours, alone in both)
    for index, name, times, cpu_times in (
        (1, "dlt alone, a table of fixed columns", 1.0, 1.0),
        (0, "this project, with requests, counts and checks", ratio, cpu_ratio),
    ):
        table.add_row(
            name,
            f"{median(pair[index].wall for pair in both):.0f}",
            f"{times:.2f}",
            f"{median(pair[index].cpu for pair in both):.0f}",
            f"{cpu_times:.2f}",
        )
    return table


def _sum(loads: Sequence[Timed]) -> tuple[float, float]:
    seconds = sum(one.load + one.checks for one in loads)
    return seconds, seconds - sum(one.report.requests.seconds for one in loads)


def _rows_by_day(loader: Loader, days: int) -> list[pa.Table]:
    """The rows that `loader` has loaded, of the first `days` days."""
    with loader.warehouse.connect() as (file, _):
        return [
            file.connection.sql(
                "SELECT * REPLACE (CAST(tags AS VARCHAR) AS tags) FROM benchmark.entries_by_day "
                f"WHERE day = DATE '{_FIRST + timedelta(days=number)}'"
            ).to_arrow_table()
            for number in range(days)
        ]


class _DltAlone:
    """One pipeline that merges tables, without a count or a check."""

    def __init__(self, directory: Path) -> None:
        self._pipeline = dlt.pipeline(
            "alone",
            pipelines_dir=str(directory),
            destination=dlt.destinations.duckdb(f"{directory}.duckdb"),
            dataset_name="alone",
        )

    def merge(self, table: pa.Table) -> None:
        """Merge one table."""
        rows = dlt.resource([table], name="entries", primary_key="id", write_disposition="merge")
        self._pipeline.run(rows, loader_file_format="parquet")


def fan_out(data: Path, users: int, latency: float) -> Table:
    """One list per user, at concurrency 1 and 8."""
    table = _table(f"{users} users, {latency} s each", "at a time", "extract, seconds", "times")
    pages = make_pages(data, users * 100, lists=users)
    first: float | None = None
    with mock_api(pages, pages, latency) as url, tempfile.TemporaryDirectory() as directory:
        for concurrency in (1, 8):
            warehouse = Path(directory) / f"{concurrency}.duckdb"
            loader = Loader(url, warehouse, concurrency)
            loader.load("users")
            seconds = loader.load("users_entries").report.seconds["extract"]
            first = first or seconds
            table.add_row(str(concurrency), f"{seconds:.2f}", f"{seconds / first:.2f}")
    return table


def start_up(rounds: int) -> Table:
    """A new process that loads the code location, one that only imports what it must, and one in
    which Dagster loads the same files for a component that makes nothing of them; until they are
    ready, not until the process has ended. Beside them commands, as far as their last output.
    """
    table = _table("start, until it is ready", "process", "CPU seconds", "times")
    commands = {
        "import dagster, dlt": "import dagster, dlt",
        "its files, for an idle component": "import benchmarks.idle_component as idle; "
        "idle.load_shipped_files()",
        "the code location": "from timetracking_assets.definitions import defs; defs()",
        "timetracking --help": _command("--help"),
        "timetracking check": _command("check"),
    }
    ready = "; import time; print(time.process_time())"
    runs = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as home:
        for _ in range(rounds + 1):
            for name, command in commands.items():
                whole = [sys.executable, "-c", command + ready]
                runs[name].append(run_process(whole, {"TIMETRACKING_HOME": home}).result)
    # the first round may have compiled modules
    base = median(runs["import dagster, dlt"][1:])
    for name, found in runs.items():
        cpu = median(found[1:])
        table.add_row(name, f"{cpu:.2f}", f"{cpu / base:.2f}")
    return table


def _command(name: str) -> str:
    return f"from timetracking_assets.cli.main import app; app(['{name}'], standalone_mode=False)"


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(first, title=title)
    for name in others:
        table.add_column(name, justify="right")
    return table
