"""How long the health report takes over a long history."""

from __future__ import annotations

import time
from pathlib import Path

import dagster as dg
from rich.table import Table

from benchmarks import long_history
from timetracking_assets.health.build import read_health
from timetracking_assets.orchestration.ui_address import DEFAULT

GROUP = 8
"""Assets of an API."""


def health_report(home: Path, assets: int, days: int, checks: int, rounds: int) -> Table:
    """Build the report `rounds` times; wall clock and processor of each, in seconds."""
    keys = [dg.AssetKey([f"api_{n // GROUP}", f"resource_{n}"]) for n in range(assets)]
    names = [f"check_{n}" for n in range(checks)]
    definitions = long_history.definitions(dict.fromkeys(keys, names), days)
    table = Table("round", title=f"report of {assets} assets, {days} days, {checks} checks each")
    for heading in ("read, s", "page, s", "CPU s", "MB", "partitions", "state"):
        table.add_column(heading, justify="right")
    with long_history.history(home, definitions, days) as instance:
        for number in range(rounds):
            started, spent = time.perf_counter(), time.process_time()
            health = read_health(instance, definitions, None)
            read = time.perf_counter() - started
            page = health.page(DEFAULT)
            table.add_row(
                str(number + 1),
                f"{read:.1f}",
                f"{time.perf_counter() - started - read:.1f}",
                f"{time.process_time() - spent:.1f}",
                f"{len(page) / 1e6:.1f}",
                str(sum(len(asset.partitions) for asset in health.report.assets)),
                health.report.state.word,
            )
    return table
