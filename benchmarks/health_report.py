"""How long the health report takes over a long history: `python benchmarks/health_report.py`.

It prints seconds of wall clock and of processor, and the page's size; it asserts nothing.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import dagster as dg
import event_log

from timetracking_assets.health.build import HealthReport, read_health
from timetracking_assets.health.page import DEFAULT_UI


def main() -> None:
    """Build the history (or take one that stands), then the report, twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=36)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--checks", type=int, default=5)
    parser.add_argument("--home", type=Path, help="keep the instance here, and use it again")
    options = parser.parse_args()
    definitions = event_log.definitions(options.assets, options.days, options.checks)
    home = options.home or Path(tempfile.mkdtemp()) / "dagster_home"
    try:
        if not home.exists():
            started = time.perf_counter()
            event_log.build(home, definitions, options.days)
            print(f"history built in {time.perf_counter() - started:.1f} s")
        with dg.DagsterInstance.from_config(str(home)) as instance:
            for name in ("first", "again"):
                started, spent = time.perf_counter(), time.process_time()
                health: HealthReport = read_health(instance, definitions, None)
                read = time.perf_counter() - started
                page = health.page(DEFAULT_UI)
                print(
                    f"{name}: read {read:.1f} s, page {time.perf_counter() - started - read:.1f} s,"
                    f" processor {time.process_time() - spent:.1f} s; {len(page) / 1e6:.1f} MB; "
                    f"{len(health.report.assets)} assets, "
                    f"{sum(len(asset.partitions) for asset in health.report.assets)} partitions, "
                    f"state {health.report.state.word}"
                )
    finally:
        if options.home is None:
            shutil.rmtree(home.parent)


if __name__ == "__main__":
    main()
