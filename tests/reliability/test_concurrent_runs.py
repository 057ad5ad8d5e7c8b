"""Runs in many processes at once, into one DuckDB file: none fails, every row is there once."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.reliability.dagster_run import Run, start_run
from tests.reliability.faulty_load import STARTED

if TYPE_CHECKING:
    from tests.support.fault_table import Outcomes
    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl
    from timetracking_assets.spec.api import Api

DAYS, DAYS_OF_A_THOROUGH_TEST = 10, 24
# one asset of each of the other APIs, whose runs begin at the same time
OTHERS = [
    ("time_tracking", "time_tracking_data"),
    ("project_management", "customers"),
    ("resource_management", "tasks"),
    ("time_analytics", "tags"),
]


@pytest.mark.timeout(300)
def test_all_apis_and_many_partitions_at_once(
    platform: Platform,
    control: RemoteControl,
    apis: dict[str, Api],
    settings: dict[str, str],
    today: date,
    tmp_path: Path,
    outcomes: Outcomes,
    thorough: bool,
) -> None:
    """Many partitions of one asset, and beside them the four other APIs, a process each."""
    count = DAYS_OF_A_THOROUGH_TEST if thorough else DAYS
    days = [today - timedelta(days=number) for number in range(1, count + 1)]
    entries = [
        {"id": 10 * number + hour, "start": f"{day}T{hour:02}:00:00+00:00"}
        for number, day in enumerate(days)
        for hour in range(5)
    ]
    control.replace("workspace_time", "time_entries", entries)
    control.set_latency(1.0)
    runs = [
        Run(apis["workspace_time"], "time_entries", day.isoformat(), settings) for day in days
    ] + [Run(apis[api], resource, None, settings) for api, resource in OTHERS]
    barrier = STARTED.Barrier(len(runs))
    outputs = [tmp_path / f"run-{number}.output" for number in range(len(runs))]
    processes = [
        start_run(run, str(output), barrier=barrier)
        for run, output in zip(runs, outputs, strict=True)
    ]
    try:
        for process in processes:
            process.join(280)
    finally:
        for process in processes:
            process.kill()
    failed = [
        output.read_text()[-3000:]
        for process, output in zip(processes, outputs, strict=True)
        if process.exitcode != 0
    ]
    assert failed == []
    assert platform.keys("workspace_time.time_entries") == sorted(row["id"] for row in entries)
    for api, resource in OTHERS:
        truth = sorted(row["id"] for row in control.rows(api, resource))
        assert platform.keys(f"{api}.{resource}") == truth
    # the lock is not held while an API is asked
    assert control.most_in_flight("workspace_time") > 1
    assert not list(platform.warehouse.parent.glob("*.loads/load-*"))
    outcomes.add("concurrency", f"{len(runs)} processes at once", "none failed, each row once")
