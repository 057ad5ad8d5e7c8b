"""Loads from several processes into one DuckDB file at once: none fails, and every row is right."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

SCRIPT = """
import sys
import dagster as dg
from timetracking_assets.definitions import defs

job = defs().resolve_implicit_global_asset_job_def()
assets = [pair.split("@") for pair in sys.argv[1:]]
print("ready", flush=True)
sys.stdin.readline()
with dg.DagsterInstance.get() as instance:
    for key, partition in assets:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey.from_user_string(key)],
            partition_key=partition or None,
            raise_on_error=False,
        )
        checks = result.get_asset_check_evaluations()
        assert result.success and len(checks) == 2 and all(c.passed for c in checks), key
"""


@pytest.mark.timeout(180)
def test_many_processes_one_file(
    platform: Platform, control: RemoteControl, day_of: Callable[[int], str]
) -> None:
    """Days of one asset side by side, and beside them assets of other APIs."""
    rows = [
        {"id": 10 * day + number, "start": f"{day_of(day)}T0{number}:00:00+00:00"}
        for day in range(6)
        for number in range(5)
    ]
    control.replace("workspace_time", "time_entries", rows)
    day = "workspace_time/time_entries@"
    work = [
        [f"{day}{day_of(0)}", f"{day}{day_of(1)}", "time_analytics/tags@"],
        [f"{day}{day_of(2)}", f"{day}{day_of(3)}", "project_management/customers@"],
        ["resource_management/tasks@", f"{day}{day_of(4)}", f"{day}{day_of(5)}"],
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *assets],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for assets in work
    ]
    # none begins before all are ready, so that they load at the same time
    for process in processes:
        assert process.stdout is not None
        assert any(line == "ready\n" for line in process.stdout)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    ends = [(process.communicate(timeout=150)[0], process.returncode) for process in processes]
    assert all(code == 0 for _, code in ends), [output for output, code in ends if code]

    assert platform.keys("workspace_time.time_entries") == sorted(row["id"] for row in rows)
    for api, resource in (
        ("time_analytics", "tags"),
        ("project_management", "customers"),
        ("resource_management", "tasks"),
    ):
        truth = sorted(row["id"] for row in control.rows(api, resource))
        assert platform.keys(f"{api}.{resource}") == truth
