"""All assets by backfills of the UI's kind: on all workers, into one warehouse."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from urllib.request import urlopen

import pytest

from deploy.local_cluster.cluster import Cluster
from tests.cluster.conftest import ROOT
from tests.support.throwaway_postgres import query
from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.catalog import PREFIXES

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


def test_all_assets_are_loaded_and_each_worker_has_loaded_some(
    cluster: Cluster, server: SandboxServer
) -> None:
    groups = {api: members for api, members in cluster.client.assets().items() if api in PREFIXES}
    assets = [asset for members in groups.values() for asset in members]

    for api in groups:
        cluster.client.limit_pool(api, 1)

    statuses = cluster.client.wait_for([cluster.client.backfill(assets, "all")], 500)

    runs = cluster.client.runs()
    assert {run.status for run in runs} == {"SUCCESS"}, statuses
    assert cluster.client.materialized(assets) == set(assets)
    assert len(assets) == 36
    assert {cluster.worker_of(run.task_id) for run in runs} == set(cluster.workers)
    # in runs that end one by one, but for an API that each run would ask for all since its start
    for asset, most in (("time_analytics/time_entries", 2), ("resource_management/logged_time", 1)):
        assert sum(run.assets == [asset] for run in runs) == most
    # one run at a time of each API, and never two APIs in a run
    assert all(len({asset.split("/")[0] for asset in run.assets}) == 1 for run in runs)
    for api in groups:
        own = sorted(
            (run.started or 0.0, run.ended or 0.0)
            for run in runs
            if run.assets[0].startswith(f"{api}/")
        )
        assert all(later[0] >= earlier[1] for earlier, later in pairwise(own))
    for resource in ("clients", "people", "projects"):
        [(rows,)] = query(
            cluster.services.url("warehouse"),
            f"SELECT count(*) FROM resource_management.{resource}",
        )
        assert rows == len(server.control.rows("resource_management", resource))


def test_the_health_report_is_made_by_any_worker_and_shown_on_any_machine(
    cluster: Cluster,
) -> None:
    backfill = cluster.client.backfill(["health_report"], "report")
    assert set(cluster.client.wait_for([backfill], 120).values()) == {"COMPLETED_SUCCESS"}
    # the report is in the instance, whichever machine made it
    [(event,)] = query(
        cluster.services.url("dagster"),
        "SELECT event FROM event_logs WHERE asset_key = '[\"health_report\"]' "
        "AND dagster_event_type = 'ASSET_MATERIALIZATION'",
    )
    assert "partitions missing or failed" in event
    assert "health_report.html" not in event

    # a machine that has never loaded anything
    environment = cluster.environment("elsewhere")
    command = [cluster.python, "-m", "timetracking_assets.cli.main"]
    shown = subprocess.run(
        [*command, "status", "--json"], env=environment, capture_output=True, text=True, check=False
    )

    report = json.loads(shown.stdout)
    states = [asset["state"] for asset in report["assets"]]
    assert states.count("ok") == 36, shown.stderr
    # the model of hours
    assert set(states) == {"ok", "unused"}
    dashboard = subprocess.Popen(
        [*command, "dashboard", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert dashboard.stdout
        url = dashboard.stdout.readline().split()[1].rstrip(";")
        with urlopen(url, timeout=60) as page:
            assert b"resource_management/clients" in page.read()
    finally:
        dashboard.terminate()
        dashboard.wait()


def test_no_worker_has_written_outside_the_paths_that_are_set(cluster: Cluster) -> None:
    events = query(
        cluster.services.url("dagster"),
        "SELECT count(*) FROM event_logs WHERE event LIKE '%%Step%%'",
    )
    assert events[0][0] > 0
    for name in cluster.workers:
        home = Path(cluster.environment(name)["DAGSTER_HOME"])
        # its own, the temporary and the local directory: no event log or warehouse of its own
        written = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
        assert written == {"dagster.yaml", "postgres.loads/.lock"}
    # where they were started
    logs = cluster.processes.log("worker1").parent
    assert {path.suffix for path in logs.iterdir()} == {".log"}


def test_retention_keeps_what_tells_the_state_in_both_databases(cluster: Cluster) -> None:
    count = (
        "SELECT (SELECT count(*) FROM asset_check_executions WHERE partition IS NOT NULL "
        "AND execution_status = 'PLANNED'), (SELECT count(*) FROM event_logs "
        "WHERE dagster_event_type = 'STEP_START'), (SELECT count(*) FROM runs)"
    )
    [before] = query(cluster.services.url("dagster"), count)
    # of an API that was loaded in several runs
    notes = 'SELECT count(*) FROM time_analytics."_dlt_loads"'
    [(loads,)] = query(cluster.services.url("warehouse"), notes)
    materialized = cluster.client.materialized(["resource_management/logged_time"])

    job = ["-m", "timetracking_assets.definitions", "-a", "defs", "-j", "retention"]
    subprocess.run(
        [cluster.python, "-m", "dagster", "job", "execute", *job],
        env={**cluster.environment("elsewhere"), "TIMETRACKING_KEEP_DAYS": "0.000001"},
        check=True,
    )

    [after] = query(cluster.services.url("dagster"), count)
    # the job's own step and run are there, too
    assert before[0] > after[0] == 0
    assert before[1] > after[1] == 1
    assert after[2] == before[2] + 1
    [(loads_left,)] = query(cluster.services.url("warehouse"), notes)
    assert 0 < loads_left < loads
    assert cluster.client.materialized(["resource_management/logged_time"]) == materialized


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_cluster_leaves_nothing_behind(how: signal.Signals) -> None:
    command = subprocess.Popen(
        ["deploy/local-cluster", "--days", "1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert command.stdout
    if how == signal.SIGINT:
        # at any time, also while it starts
        time.sleep(12)
    else:
        assert "Dagster's UI" in command.stdout.readline()
    running = _processes_of(command.pid)
    assert len(running) >= 3

    command.send_signal(how)
    command.send_signal(how)

    output, _ = command.communicate(timeout=60)
    assert command.returncode == 130, output
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in running) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not [pid for pid in running if Path(f"/proc/{pid}").exists()]


def _processes_of(parent: int) -> set[int]:
    """All processes below `parent`, by /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    below: set[int] = set()
    waiting = [parent]
    while waiting:
        for child in children.get(waiting.pop(), []):
            below.add(child)
            waiting.append(child)
    return below
