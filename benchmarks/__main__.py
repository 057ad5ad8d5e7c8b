"""`python -m benchmarks`: how long loads take, and how much memory, beside plain dlt and the floor.

Contenders run in turn, round after round, so that a busy machine is busy for all of them; what is
printed are medians, and ratios within the same rounds.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from statistics import median
from tempfile import gettempdir
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.data import make_pages
from benchmarks.mock_api import mock_api
from benchmarks.processes import Run, run_contender

CONTENDERS = {
    "floor": ("floor",),
    "ours": ("ours",),
    "dagster-run": ("dagster_run",),
    "dlt-parquet": ("plain_dlt", "parquet"),
    "dlt-default": ("plain_dlt", "insert_values"),
}
_FLOOR = "floor"
PEERS = ("singer", "airbyte")
"""Contenders of other projects; each needs an environment of its own."""

app = typer.Typer(help=__doc__, no_args_is_help=False)
console = Console()
Rounds = Annotated[int, typer.Option(min=1, help="how often each is measured")]
Directory = Annotated[Path, typer.Option(help="where the mock API's pages are kept between runs")]
_DATA = Path(gettempdir()) / "timetracking-benchmarks"


class Contender(StrEnum):
    """What loads the rows."""

    floor = "floor"
    ours = "ours"
    dagster_run = "dagster-run"
    dlt_parquet = "dlt-parquet"
    dlt_default = "dlt-default"


@app.command()
def load(
    rows: Annotated[list[int], typer.Option(help="rows of the list; may be given again")] = [
        100_000
    ],
    rounds: Rounds = 3,
    contenders: Annotated[list[Contender], typer.Option("--contender")] = list(Contender),
    peers: Annotated[
        bool,
        typer.Option(
            "--peers",
            help="add a Singer tap and target, and PyAirbyte, installed below the data directory",
        ),
    ] = False,
    data: Directory = _DATA,
) -> None:
    """One list into a new DuckDB file, each contender as a process of its own."""
    commands = {str(name): (sys.executable, *CONTENDERS[name]) for name in contenders}
    if peers:
        commands.update(_installed_peers(data / "peers"))
    for number in rows:
        runs: dict[str, list[Run]] = {name: [] for name in commands}
        with mock_api(make_pages(data, number)) as url:
            for name in track(list(commands) * rounds, f"{number:,} rows", console=console):
                python, module, *more = commands[name]
                run = run_contender(module, url, *more, python=python)
                if run.result["rows"] != number:
                    raise RuntimeError(f"{name} loaded {run.result['rows']} rows of {number}")
                runs[name].append(run)
        _print(f"{number:,} rows, medians of {rounds}", runs)


def _installed_peers(directory: Path) -> dict[str, tuple[str, ...]]:
    from benchmarks.peers.environments import environment_python

    with console.status("installing the peers"):
        return {peer: (environment_python(peer, directory), peer) for peer in PEERS}


def _print(title: str, runs: dict[str, list[Run]]) -> None:
    table = Table("contender", title=title)
    for heading in ("seconds", "times the floor", "CPU seconds", "times the floor", "peak MB"):
        table.add_column(heading, justify="right")
    floor = runs.get(_FLOOR, [])
    for name, found in runs.items():
        table.add_row(
            name,
            f"{median(run.seconds for run in found):.1f}",
            _ratio([run.seconds for run in found], [run.seconds for run in floor]),
            f"{median(run.cpu_seconds for run in found):.1f}",
            _ratio([run.cpu_seconds for run in found], [run.cpu_seconds for run in floor]),
            f"{median(run.peak_bytes for run in found) / 1e6:.0f}",
        )
    console.print(table)
    for name, found in runs.items():
        inside = [run.result["seconds"] for run in found if "seconds" in run.result]
        if inside:
            console.print(f"{name}: {median(inside):.1f} s of it after the process had started")
        phases = found[-1].result.get("phases")
        if phases:
            console.print(f"{name}, phases of the last round in seconds: {phases}")


def _ratio(found: list[float], floor: list[float]) -> str:
    if not floor:
        return ""
    return f"{median(a / b for a, b in zip(found, floor, strict=True)):.1f}"


@app.command()
def small(
    rows: Annotated[list[int], typer.Option()] = [100_000, 1_000_000, 5_000_000],
    rounds: Rounds = 5,
    data: Directory = _DATA,
) -> None:
    """1,000 changed rows into tables of different sizes, in one process; checks included."""
    from benchmarks.scenarios import small_loads

    console.print(small_loads(data, rows, rounds))


@app.command()
def backfills(
    rows: Annotated[int, typer.Option()] = 100_000,
    days: Annotated[int, typer.Option(min=2, max=365, help="single partitions to load")] = 365,
    data: Directory = _DATA,
) -> None:
    """365 daily partitions as one range, against one list of the same rows, and one by one, against
    dlt alone.
    """
    from benchmarks.scenarios import backfill

    for table in backfill(data, rows, days):
        console.print(table)


@app.command()
def fanout(
    users: Annotated[int, typer.Option()] = 120,
    latency: Annotated[float, typer.Option(help="seconds before each answer")] = 0.1,
    data: Directory = _DATA,
) -> None:
    """A list for each of many users, requested one after the other and 8 at a time."""
    from benchmarks.scenarios import fan_out

    console.print(fan_out(data, users, latency))


@app.command()
def start(rounds: Rounds = 5) -> None:
    """The code location loaded, against `import dagster, dlt`."""
    from benchmarks.scenarios import start_up

    console.print(start_up(rounds))


@app.command()
def events(
    days: Annotated[int, typer.Option(min=2, max=731)] = 730,
    rounds: Rounds = 5,
    data: Directory = _DATA,
) -> None:
    """A range of partitions in Dagster's event log: its own storage, the shipped one, no ranges."""
    from benchmarks.events import range_of_partitions

    console.print(range_of_partitions(data, days, rounds))


@app.command()
def demo(rounds: Rounds = 3) -> None:
    """`timetracking demo` from the sandbox, in a new directory, as a process."""
    from benchmarks.events import demo

    console.print(demo(rounds))


@app.command()
def report(
    assets: Annotated[int, typer.Option()] = 36,
    days: Annotated[int, typer.Option()] = 730,
    checks: Annotated[int, typer.Option()] = 5,
    rounds: Rounds = 3,
    data: Directory = _DATA,
) -> None:
    """The health report over a long event log."""
    from benchmarks.health_report import health_report

    home = data / f"history-{assets}-{days}-{checks}"
    console.print(health_report(home, assets, days, checks, rounds))


@app.command()
def ticks(
    days: Annotated[int, typer.Option()] = 730, rounds: Rounds = 3, data: Directory = _DATA
) -> None:
    """Every schedule and sensor of the shipped APIs over a long event log."""
    from benchmarks.ticks import ticks

    console.print(ticks(data / f"history-shipped-{days}", days, rounds))


@app.command()
def hours(
    rows: Annotated[int, typer.Option()] = 1_000_000,
    rounds: Rounds = 5,
    checks: Annotated[bool, typer.Option(help="evaluate all checks, as a run does")] = True,
) -> None:
    """The model of hours: nothing changed, or four days, against a build of all of it."""
    from benchmarks.hours_model import hours_model

    console.print(hours_model(rows, rounds, checks=checks))


if __name__ == "__main__":
    app()
