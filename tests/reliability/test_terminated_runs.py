"""Dagster runs that are killed or terminated, and the runs after them."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from tests.reliability.dagster_run import Run, start_run
from tests.reliability.faulty_load import Fault
from tests.reliability.scenes import API, BEFORE, RESOURCE

if TYPE_CHECKING:
    from tests.support.fault_table import Outcomes
    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl
    from timetracking_assets.spec.api import Api

POINTS = ("extract", "normalize", "staging", "merge", "bookkeeping", "materialization", "checks")
LOADED = POINTS[POINTS.index("bookkeeping") :]
"""The points at which the answer is in the table already."""
DEFERRED = ("staging", "merge", "bookkeeping")
"""The points within dlt's load."""

ROLES, TABLE = "resource_management/roles", "resource_management.roles"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_between_load_and_materialization(
    platform: Platform,
    control: RemoteControl,
    apis: dict[str, Api],
    settings: dict[str, str],
    tmp_path: Path,
    outcomes: Outcomes,
    kind: str,
) -> None:
    """The table is loaded, the event that says so was never written."""
    api, resource = ROLES.split("/")
    run = Run(apis[api], resource, None, settings)
    output = tmp_path / "output"
    process = start_run(run, str(output), fault=Fault(kind, "materialization"))
    process.join(100)
    assert process.exitcode != 0, output.read_text()
    if kind == "SIGKILL":
        assert process.exitcode == -signal.SIGKILL, output.read_text()
    truth = sorted(row["id"] for row in control.rows(api, resource))
    key = dg.AssetKey([api, resource])
    assert platform.keys(TABLE) == truth
    assert platform.instance.get_latest_materialization_event(key) is None

    control.edit(api, resource, upsert=[{"id": truth[0], "name": "changed"}], delete=truth[-1:])
    after = platform.materialize(ROLES)
    assert after.green
    assert platform.keys(TABLE) == truth[:-1]
    assert not list(platform.warehouse.parent.glob("*.loads/load-*"))
    assert not platform.warehouse.with_name("warehouse.duckdb.holder").exists()
    outcomes.add(f"{kind} of a run", "before its event", "table whole answer, next run green")


@pytest.mark.timeout(600)
def test_terminated_in_each_phase(
    platform: Platform,
    control: RemoteControl,
    apis: dict[str, Api],
    settings: dict[str, str],
    tmp_path: Path,
    outcomes: Outcomes,
    thorough: bool,
) -> None:
    """Dagster ends a run by SIGTERM, which becomes an exception wherever the run is."""
    key, table = dg.AssetKey([API, RESOURCE]), f"{API}.{RESOURCE}"
    # three pages, so that there is a phase between two requests
    control.replace(API, RESOURCE, BEFORE)
    assert platform.materialize(key.to_user_string()).green
    for number, point in enumerate(POINTS if thorough else ("merge", "checks")):
        before = platform.keys(table)
        latest = platform.instance.get_latest_materialization_event(key)
        truth = sorted([*before, 1000 + number])
        control.edit(API, RESOURCE, upsert=[{"id": 1000 + number, "name": "new"}])
        output = tmp_path / point
        run = Run(apis[API], RESOURCE, None, settings)
        process = start_run(run, str(output), fault=Fault("SIGTERM", point))
        process.join(100)
        printed = output.read_text()
        held = platform.keys(table)
        event = platform.instance.get_latest_materialization_event(key)
        statuses = {record.status for record in platform.instance.get_runs(limit=1)}
        if process.exitcode == 0:
            # dlt waits with a signal until a load is done, and then goes on
            assert point in DEFERRED, f"{point}: {printed}"
            assert (held, statuses) == (truth, {dg.DagsterRunStatus.SUCCESS}), point
        else:
            assert process.exitcode is not None, f"{point}: {printed}"
            assert held in ([truth] if point in LOADED else [before, truth]), f"{point}: {printed}"
            assert (event == latest) == (point != "checks"), point
            assert statuses <= {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}, point
        assert not list(platform.warehouse.parent.glob("*.loads/load-*")), point
        assert not platform.warehouse.with_name("warehouse.duckdb.holder").exists(), point
        after = platform.materialize(key.to_user_string())
        assert after.green, point
        assert platform.keys(table) == truth
        state = "whole answer" if held == truth else "as before"
        outcomes.add("SIGTERM of a run", point, f"table {state}, next run green")
