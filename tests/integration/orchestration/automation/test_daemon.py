"""A real daemon: ticks of schedules and sensors, the runs that they start, messages about them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from timetracking_assets.orchestration.partitions import RANGE_START_TAG
from timetracking_assets.warehouse.find import find_warehouse

if TYPE_CHECKING:
    from tests.support.platform import OfApi, Platform
    from tests.support.receiver import Receiver
    from timetracking_assets.sandbox.remote_control import RemoteControl

pytestmark = pytest.mark.timeout(900)

_PATIENCE = 400
"""Seconds to wait for each thing: a busy machine takes minutes to start five runs."""

LOCATION = Path(__file__).with_name("impatient_location.py")
DATA = "time_tracking/time_tracking_data"
APIS = {
    "project_management",
    "resource_management",
    "time_analytics",
    "time_tracking",
    "workspace_time",
}


@pytest.fixture
def daemon(
    settings: dict[str, str], instance: dg.DagsterInstance, receiver: Receiver, tmp_path: Path
) -> Iterator[Path]:
    """Dagster's daemon on the test's instance, everything switched on; gives its log."""
    log = tmp_path / "daemon.log"
    # soon, and once more for a machine that is too busy now: each time starts five processes
    soon = datetime.now(UTC) + timedelta(seconds=95)
    cron = f"{soon.minute},{(soon.minute + 4) % 60} * * * *"
    command = [sys.executable, "-m", "dagster._daemon", "run", "-f", str(LOCATION)]
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, "TIMETRACKING_AUTOMATION": "on", "IMPATIENT_CRON": cron},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            yield log
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _until(done: Callable[[], bool], log: Path, what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            pytest.fail(f"no {what} after {_PATIENCE} s: {log.read_text()[-4000:]}")
        time.sleep(0.5)


def _runs(instance: dg.DagsterInstance, name: str = "") -> list[dg.DagsterRun]:
    runs = instance.get_runs(dg.RunsFilter(job_name=name or None))
    return [run for run in runs if run.is_finished and "timetracking/kind" in run.tags]


def test_it_runs_itself(
    daemon: Path, of_api: OfApi, receiver: Receiver, control: RemoteControl
) -> None:
    platform = of_api("time_tracking")
    instance = platform.instance

    # five APIs in the same minute
    def first_runs() -> dict[str, dg.DagsterRun]:
        runs = [run for run in _runs(instance) if run.tags["timetracking/kind"] == "snapshot"]
        return {run.tags["timetracking/api"]: run for run in reversed(runs)}

    _until(lambda: first_runs().keys() >= APIS, daemon, "run of each API")
    runs = first_runs()
    assert {run.status for run in runs.values()} == {dg.DagsterRunStatus.SUCCESS}
    assert {run.job_name for run in runs.values()} == {f"{api}_snapshot" for api in APIS}

    # a change is found by a probe, and loaded into the partition where it belongs
    changes, year = "project_management_changes", str(datetime.now(UTC).year)
    _until(lambda: bool(_runs(instance, changes)), daemon, "first load by the probe")
    absence = next(
        row
        for row in control.rows("project_management", "absences")
        if str(row["date_since"]).startswith(year)
    )
    control.edit("project_management", "absences", upsert=[{"id": absence["id"], "note": "moved"}])
    _until(lambda: len(_runs(instance, changes)) == 2, daemon, "load of the change")
    assert _runs(instance, changes)[0].tags[RANGE_START_TAG] == year
    assert _note(platform, absence["id"]) == "moved"

    # a failure is told once, and its end
    control.place_fault("status", status=403, path="/time_tracking/")
    assert not platform.materialize(DATA).succeeded
    _until(lambda: len(receiver.received) > 0, daemon, "message of the failure")
    control.clear_faults()
    assert platform.materialize(DATA).succeeded
    _until(lambda: len(receiver.received) > 1, daemon, "message of the recovery")
    assert [message["type"] for message in receiver.received] == ["failure", "success"]
    # nothing changed since
    assert len(_runs(instance, changes)) == 2


def _note(platform: Platform, absence: int) -> str:
    warehouse = find_warehouse(str(platform.warehouse))
    # a run may be about to begin
    with warehouse.exclusive("the test", dataset="project_management") as opened:
        [[note]] = opened.rows(f"SELECT note FROM project_management.absences WHERE id = {absence}")
    return str(note)
