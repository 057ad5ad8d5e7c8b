"""Start a cluster, load everything from the sandbox, show where each run ran, end it all.

deploy/local-cluster --days 7 --workers 2
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from types import FrameType

from deploy.local_cluster.cluster import Cluster
from deploy.local_cluster.graphql import Run
from deploy.local_cluster.processes import ProcessError
from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.catalog import PREFIXES


def main() -> int:
    """The command; 0 if all assets are loaded."""
    options = _options()
    # SIGINT, too: a shell that starts a job in the background has it ignored
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    first_day = (datetime.now(UTC).date() - timedelta(days=options.days)).isoformat()
    try:
        with SandboxServer() as sandbox:
            base_urls = [name for name in sandbox.environment if name.endswith("_BASE_URL")]
            settings = {
                **sandbox.environment,
                **{n.replace("_BASE_URL", "_START"): first_day for n in base_urls},
            }
            with Cluster(settings, workers=options.workers) as cluster:
                return _load(cluster, options)
    except ProcessError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: everything was ended", file=sys.stderr)
        return 130


def _load(cluster: Cluster, options: argparse.Namespace) -> int:
    print(f"Dagster's UI: {cluster.web_url}; {options.workers} workers", flush=True)
    groups = cluster.client.assets(partitioned=options.partitioned)
    groups.pop("health", None)
    started = time.monotonic()
    # what is made of several APIs' tables comes after these
    for group in (groups.keys() & PREFIXES.keys(), groups.keys() - PREFIXES.keys()):
        # one for each API: Dagster puts assets with equal partitions into one run, of whichever API
        backfills = [cluster.client.backfill(groups[api], api) for api in sorted(group)]
        cluster.client.wait_for(backfills, options.timeout)
    seconds = time.monotonic() - started
    for run in cluster.client.runs():
        _print_run(run, cluster.worker_of(run.task_id) if run.task_id else None)
    assets = [asset for members in groups.values() for asset in members]
    loaded = cluster.client.materialized(assets)
    failed = [run for run in cluster.client.runs() if run.status != "SUCCESS"]
    print(f"{len(loaded)} of {len(assets)} assets loaded in {seconds:.0f} s", flush=True)
    if options.keep:
        print("Ctrl-C ends everything.", flush=True)
        signal.pause()
    return 0 if len(loaded) == len(assets) and not failed else 1


def _print_run(run: Run, worker: str | None) -> None:
    seconds = run.ended - run.started if run.started and run.ended else 0.0
    names = ", ".join(run.assets[:2]) + (f" and {len(run.assets) - 2} more" * (len(run.assets) > 2))
    print(f"{run.run_id[:8]}  {run.status:8}  {worker or '-':8}  {seconds:5.1f} s  {names}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy/local-cluster", description=__doc__)
    parser.add_argument("--days", type=int, default=7, help="days of partitions, up to yesterday")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--partitioned", action="store_true", help="only assets with partitions")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds to wait at most")
    parser.add_argument("--keep", action="store_true", help="go on until Ctrl-C")
    return parser.parse_args()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
