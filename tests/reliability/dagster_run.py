"""One Dagster run of one asset in a process of its own, with a fault or without."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from tests.reliability.faulty_load import STARTED, Fault, arm, redirect
from timetracking_assets.orchestration import assets
from timetracking_assets.orchestration.resources import WarehouseResource
from timetracking_assets.spec.api import Api


@dataclass(frozen=True)
class Run:
    """What to run, with which environment (a `DAGSTER_HOME` is among it)."""

    api: Api
    resource: str
    partition: str | None
    environment: Mapping[str, str]

    def execute(self) -> None:
        """Run the asset and its checks; raises AssertionError unless all is green."""
        os.environ.update(self.environment)
        definitions = dg.Definitions.merge(
            assets.build_api_definitions(self.api),
            dg.Definitions(
                resources={assets.WAREHOUSE: WarehouseResource()}, executor=dg.in_process_executor
            ),
        )
        job = definitions.resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.get() as instance:
            result = job.execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey([self.api.name, self.resource])],
                partition_key=self.partition,
                raise_on_error=False,
            )
        checks = result.get_asset_check_evaluations()
        assert result.success, "the run failed"
        assert checks, "nothing was checked"
        # rows that a test makes up are not plausible
        failed = [c for c in checks if not c.passed and c.severity != dg.AssetCheckSeverity.WARN]
        assert not failed, [check.check_name for check in failed]


def start_run(run: Run, output: str, *, barrier: Any = None, fault: Fault | None = None) -> Any:
    """Start `run` in a new process: once all have come to `barrier`, with `fault`."""
    process = STARTED.Process(target=_main, args=(run, output, barrier, fault))
    process.start()
    return process


RUN_POINTS = {"materialization": "load_metadata", "checks": "run_checks"}
"""Points after the load: before the event that says so, and between that and the checks."""


def _strike_before(name: str, fault: Fault) -> None:
    original = getattr(assets, name)

    def strike(*arguments: Any) -> Any:
        fault.strike()
        return original(*arguments)

    setattr(assets, name, strike)


def _main(run: Run, output: str, barrier: Any, fault: Fault | None) -> None:
    redirect(output)
    if fault is not None and fault.point in RUN_POINTS:
        _strike_before(RUN_POINTS[fault.point], fault)
    elif fault is not None:
        arm(fault)
    if barrier is not None:
        barrier.wait(100)
    try:
        run.execute()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
