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

import psycopg2

from deploy.local_cluster.cluster import Cluster
from deploy.local_cluster.graphql import Run
from deploy.local_cluster.processes import ProcessError
from timetracking_assets.sandbox import SandboxServer

_EVENTS = """
SELECT coalesce(dagster_event_type, 'message'), count(*), sum(octet_length(event))
FROM event_logs GROUP BY 1 ORDER BY 3 DESC LIMIT 4
"""


def main() -> int:
    """The command; 0 if all assets are loaded."""
    options = _options()
    # SIGINT, too: a shell that starts a job in the background has it ignored
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    first_day = (datetime.now(UTC).date() - timedelta(days=options.days)).isoformat()
    try:
        with SandboxServer() as sandbox:
            sandbox.control.set_latency(options.latency / 1000)
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
    assets = [asset for members in groups.values() for asset in members]
    for api in groups:
        cluster.client.limit_pool(api, 1)
    before = cluster.processes.cpu_seconds()
    started = time.time()
    backfill = cluster.client.backfill(assets, "all assets")
    cluster.client.wait_for([backfill], options.timeout)
    seconds = time.time() - started
    runs = cluster.client.runs()
    for run in runs:
        _print_run(run, started, cluster.worker_of(run.task_id) if run.task_id else None)
    used = {name: after - before[name] for name, after in cluster.processes.cpu_seconds().items()}
    print("CPU seconds:", ", ".join(f"{name} {seconds:.0f}" for name, seconds in used.items()))
    loaded = cluster.client.materialized(assets)
    begun = min((run.started for run in runs if run.started), default=started) - started
    ended = max((run.ended for run in runs if run.ended), default=started) - started
    print(f"the first run began after {begun:.0f} s, the last one ended after {ended:.0f} s")
    failed = [run for run in runs if run.status != "SUCCESS"]
    print(f"{len(loaded)} of {len(assets)} assets loaded in {seconds:.0f} s", flush=True)
    _print_events(cluster.services.url("dagster"))
    if options.keep:
        print("Ctrl-C ends everything.", flush=True)
        signal.pause()
    return 0 if len(loaded) == len(assets) and not failed else 1


def _print_events(database: str) -> None:
    """What the event log takes, by kind of event, and with its indexes."""
    connection = psycopg2.connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_EVENTS)
            for kind, number, size in cursor.fetchall():
                print(f"{number:6} events {kind}: {size / number:,.0f} bytes each")
            cursor.execute("SELECT pg_total_relation_size('event_logs')")
            print(f"event log with its indexes: {cursor.fetchall()[0][0] / 1e6:.1f} MB")
    finally:
        connection.close()


def _print_run(run: Run, launched: float, worker: str | None) -> None:
    begun = run.started - launched if run.started else 0.0
    seconds = run.ended - run.started if run.started and run.ended else 0.0
    names = ", ".join(run.assets[:2]) + (f" and {len(run.assets) - 2} more" * (len(run.assets) > 2))
    when = f"at {begun:5.1f} s, for {seconds:5.1f} s"
    print(f"{run.run_id[:8]}  {run.status:8}  {worker or '-':8}  {when}  {names}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy/local-cluster", description=__doc__)
    parser.add_argument("--days", type=int, default=7, help="days of partitions, up to yesterday")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--partitioned", action="store_true", help="only assets with partitions")
    parser.add_argument("--latency", type=float, default=0, help="milliseconds of each response")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds to wait at most")
    parser.add_argument("--keep", action="store_true", help="go on until Ctrl-C")
    return parser.parse_args()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
