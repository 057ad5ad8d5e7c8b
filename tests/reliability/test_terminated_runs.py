"""Dagster runs that are killed or terminated, and the runs after them."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from tests.reliability.dagster_run import Run, start_run
from tests.reliability.faulty_load import Fault

if TYPE_CHECKING:
    from tests.support.fault_table import Outcomes
    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl
    from timetracking_assets.spec.api import Api

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
