"""A worker is lost in each phase of a load: noticed, run again, and the table is right.

A phase is held by what it waits for: a slow API, or a lock on the table that it is about to write.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from deploy.local_cluster.cluster import Cluster
from deploy.local_cluster.graphql import Run
from tests.cluster.conftest import full_days
from tests.support.throwaway_postgres import query
from timetracking_assets.sandbox import SandboxServer

pytestmark = [pytest.mark.cluster, pytest.mark.outage, pytest.mark.timeout(400)]

API, RESOURCE = "resource_management", "clients"
ASSET = f"{API}/{RESOURCE}"
DAYS_ASSET = "time_analytics/time_entries"
NOTICED = 60
"""Seconds after which a lost worker is known at the latest: two rounds of run monitoring."""


@pytest.fixture(scope="module", autouse=True)
def _loaded(cluster: Cluster, server: SandboxServer) -> None:
    """All tables that a phase may be held by: that of staged rows comes with the first change."""
    for title in ("first", "changed"):
        [status] = cluster.client.wait_for([cluster.client.backfill([ASSET], title)], 120).values()
        assert status == "COMPLETED_SUCCESS"
        _change_rows(server, title)


@pytest.mark.parametrize("phase", ["requesting", "staging", "merging", "recording"])
def test_what_a_lost_worker_was_loading_is_loaded_again(
    phase: str, cluster: Cluster, server: SandboxServer
) -> None:
    _change_rows(server, phase)
    warehouse = cluster.services.url("warehouse")

    with _held(phase, server, warehouse) as is_there:
        backfill = cluster.client.backfill([ASSET], phase)
        _wait(is_there, 90)
        [run] = _runs_of(cluster, backfill)
        worker = cluster.worker_of(run.task_id)
        assert worker
        if phase == "recording":
            _assert_copied(warehouse, server)
        cluster.processes.kill(worker)
        killed = time.time()
    cluster.client.wait_for([backfill], 240)
    cluster.start_worker(worker)

    lost, *others = _runs_of(cluster, backfill)
    assert lost.status == "FAILURE"
    assert lost.ended
    assert lost.ended - killed < NOTICED
    assert [other.status for other in others] == ["SUCCESS"]
    assert all((other.started or 0) >= lost.ended for other in others)
    _assert_copied(warehouse, server)
    assert query(warehouse, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    print(
        f"{phase}: noticed after {lost.ended - killed:.0f} s, "
        f"right after {(others[-1].ended or 0) - killed:.0f} s"
    )


def test_what_a_lost_worker_has_staged_goes_with_the_next_load_there(
    cluster: Cluster, server: SandboxServer
) -> None:
    """It has a volume that outlives it, and no other worker touches that."""
    _change_rows(server, "staged")
    warehouse = cluster.services.url("warehouse")
    with _held("staging", server, warehouse) as is_there:
        backfill = cluster.client.backfill([ASSET], "staged")
        _wait(is_there, 90)
        [run] = _runs_of(cluster, backfill)
        worker = cluster.worker_of(run.task_id)
        assert worker
        cluster.processes.kill(worker)
    cluster.client.wait_for([backfill], 240)
    home = Path(cluster.environment(worker)["DAGSTER_HOME"])
    assert list(home.glob("*.loads/load-*"))

    others = [name for name in cluster.workers if name != worker]
    cluster.processes.stop(*others)
    cluster.start_worker(worker)
    again = cluster.client.backfill([ASSET], "again")
    cluster.client.wait_for([again], 240)
    for other in others:
        cluster.start_worker(other)

    [run] = _runs_of(cluster, again)
    assert run.status == "SUCCESS"
    assert cluster.worker_of(run.task_id) == worker
    assert not list(home.glob("*.loads/load-*"))


@pytest.mark.parametrize("part", ["daemon", "redis", "postgres"])
def test_a_part_that_is_restarted_during_a_load_costs_no_data(
    part: str, cluster: Cluster, server: SandboxServer
) -> None:
    _change_rows(server, part)
    server.control.set_latency(5)
    backfill = cluster.client.backfill([ASSET], part)
    _wait(lambda: bool(_in_flight(server)), 90)

    if part == "postgres":
        cluster.processes.stop(part)
    else:
        cluster.processes.kill(part)
    time.sleep(2)
    restart = {
        "daemon": cluster.start_daemon,
        "redis": cluster.services.start_redis,
        "postgres": cluster.services.start_postgres,
    }
    restart[part]()
    server.control.set_latency(0)
    cluster.client.wait_for([backfill], 240)

    runs = _runs_of(cluster, backfill)
    assert runs[-1].status == "SUCCESS", [run.status for run in runs]
    assert all((later.started or 0) >= (earlier.ended or 0) for earlier, later in pairwise(runs))
    _assert_copied(cluster.services.url("warehouse"), server)
    print(f"{part}: {[run.status for run in runs]}")


def test_a_daemon_that_is_killed_between_the_runs_of_a_backfill_goes_on_with_it(
    cluster: Cluster, server: SandboxServer
) -> None:
    server.control.set_latency(3)
    days = full_days()
    backfill = cluster.client.backfill([DAYS_ASSET], "daemon")
    _wait(lambda: any(run.started for run in _runs_of(cluster, backfill)), 90)

    cluster.processes.kill("daemon")
    time.sleep(2)
    cluster.start_daemon()
    server.control.set_latency(0)
    status = cluster.client.wait_for([backfill], 240)

    assert set(status.values()) == {"COMPLETED_SUCCESS"}
    assert [run.status for run in _runs_of(cluster, backfill)] == ["SUCCESS"] * 2
    assert _days_loaded_by(cluster, backfill) == days


def test_a_cancelled_backfill_keeps_what_has_ended_and_is_resumed_with_the_rest(
    cluster: Cluster, server: SandboxServer
) -> None:
    cluster.client.limit_pool(DAYS_ASSET.split("/")[0], 1)
    server.control.set_latency(3)
    days = full_days()
    backfill = cluster.client.backfill([DAYS_ASSET], "cancelled")

    def second_has_begun() -> bool:
        statuses = {run.status for run in _runs_of(cluster, backfill)}
        if "SUCCESS" in statuses:
            # the daemon cancels at its next look at backfills, which may be half a minute later
            server.control.set_latency(40)
        return statuses == {"SUCCESS", "STARTED"}

    _wait(second_has_begun, 150)
    cluster.client.cancel(backfill)
    assert set(cluster.client.wait_for([backfill], 240).values()) == {"CANCELED"}
    server.control.set_latency(0)

    assert sorted(run.status for run in _runs_of(cluster, backfill)) == ["CANCELED", "SUCCESS"]
    kept = _days_loaded_by(cluster, backfill)
    assert 0 < kept < days
    resumed = cluster.client.resume(backfill)
    assert set(cluster.client.wait_for([resumed], 240).values()) == {"COMPLETED_SUCCESS"}
    assert [run.status for run in _runs_of(cluster, resumed)] == ["SUCCESS"]
    assert _days_loaded_by(cluster, resumed) == days - kept


def _days_loaded_by(cluster: Cluster, backfill: str) -> int:
    runs = [run.run_id for run in _runs_of(cluster, backfill)]
    [(number,)] = query(
        cluster.services.url("dagster"),
        "SELECT count(DISTINCT partition) FROM event_logs "
        "WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND run_id = ANY(%s)",
        (runs,),
    )
    return int(number)


def _change_rows(server: SandboxServer, name: str) -> None:
    rows = server.control.rows(API, RESOURCE)
    server.control.edit(
        API, RESOURCE, upsert=[{**rows[0], "name": f"renamed: {name}"}], delete=[rows[-1]["id"]]
    )
    server.control.clear_requests()


def _assert_copied(warehouse: str, server: SandboxServer) -> None:
    loaded = query(warehouse, f"SELECT id, name FROM {ASSET.replace('/', '.')} ORDER BY id")
    assert loaded == sorted((row["id"], row["name"]) for row in server.control.rows(API, RESOURCE))


@contextmanager
def _held(phase: str, server: SandboxServer, warehouse: str) -> Iterator[Callable[[], bool]]:
    """Hold the next load in `phase`; what is given says whether it is there."""
    if phase == "requesting":
        server.control.set_latency(30)
        try:
            yield lambda: bool(_in_flight(server))
        finally:
            server.control.set_latency(0)
        return
    table = {
        "staging": f"{API}_staging.{RESOURCE}",
        "merging": f"{API}.{RESOURCE}",
        # dlt's record of a load whose answer is in the table; checks come after that
        "recording": f"{API}._dlt_loads",
    }[phase]
    connection = psycopg2.connect(warehouse)
    try:
        with connection.cursor() as cursor:
            # it may be read, but not written
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield lambda: _waits_for(warehouse, table)
    finally:
        connection.close()


def _waits_for(warehouse: str, table: str) -> bool:
    sql = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = to_regclass(%s)"
    return bool(query(warehouse, sql, (table,)))


def _in_flight(server: SandboxServer) -> list[dict[str, Any]]:
    return [
        request
        for request in server.control.requests()
        if request["api"] == API and request["seconds"] is None
    ]


def _runs_of(cluster: Cluster, backfill: str) -> list[Run]:
    return [run for run in cluster.client.runs() if run.tags.get("dagster/backfill") == backfill]


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the load is not there in time"
        time.sleep(0.1)
