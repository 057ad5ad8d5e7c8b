"""The demo: every asset of the given APIs through real Dagster runs, with live progress.

One run for each API and kind of partitions, a range of partitions in one run. Only running and
showing belong here; the definitions are the code location's own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import dagster as dg
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from timetracking_assets.definitions import defs

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_RANGE_START, _RANGE_END = (
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
)


@dataclass
class AssetResult:
    """What became of one asset."""

    key: dg.AssetKey
    partitions: int | None
    rows: int | None = None
    checks_passed: int = 0
    checks: int = 0
    seconds: float | None = None
    problem: str | None = None

    @property
    def succeeded(self) -> bool:
        """Loaded, and every check green."""
        return self.problem is None and self.rows is not None and self.checks_passed == self.checks


@dataclass
class _Run:
    keys: list[dg.AssetKey]
    partitions: dg.PartitionsDefinition | None = None
    tags: dict[str, str] = field(default_factory=dict)


def run_demo(console: Console, apis: Sequence[str]) -> bool:
    """Materialize all assets of `apis`; true if all are loaded and all checks are green."""
    started = time.monotonic()
    with console.status("Loading the definitions"):
        definitions = defs()
        runs = _plan(definitions, apis)
    results: list[AssetResult] = []
    total = sum(len(run.keys) for run in runs)
    with dg.DagsterInstance.get() as instance, Live(console=console) as live:
        for run in runs:
            names = ", ".join(key.path[-1] for key in run.keys)
            live.update(
                Spinner("dots", f"{len(results)} of {total} assets; {run.keys[0].path[0]}: {names}")
            )
            results += _execute(definitions, run, instance)
        live.update(_table(results))
    failed = [result for result in results if not result.succeeded]
    for result in failed:
        if result.problem:
            console.print(f"[red]{result.key.to_user_string()}[/]: {result.problem}")
    checks = sum(result.checks_passed for result in results)
    console.print(
        f"{len(results) - len(failed)} of {len(results)} assets loaded and green, {checks} checks "
        f"passed, {time.monotonic() - started:.0f} s."
    )
    return not failed


def _plan(definitions: dg.Definitions, apis: Sequence[str]) -> list[_Run]:
    runs: list[_Run] = []
    for api in apis:
        groups: dict[dg.PartitionsDefinition | None, list[dg.AssetKey]] = {}
        for spec in definitions.resolve_all_asset_specs():
            if spec.key.path[0] == api:
                groups.setdefault(spec.partitions_def, []).append(spec.key)
        for partitions in sorted(groups, key=lambda p: p is not None):
            run = _Run(groups[partitions], partitions)
            if partitions is not None:
                keys = partitions.get_partition_keys()
                run.tags = {_RANGE_START: keys[0], _RANGE_END: keys[-1]}
            runs.append(run)
    return runs


def _execute(
    definitions: dg.Definitions, run: _Run, instance: dg.DagsterInstance
) -> list[AssetResult]:
    count = len(run.partitions.get_partition_keys()) if run.partitions else None
    results = {key: AssetResult(key, count) for key in run.keys}
    by_step = {"__".join(key.path): result for key, result in results.items()}
    outcome = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=run.keys,
        tags=run.tags,
        run_config=_QUIET,
        raise_on_error=False,
    )
    for event in outcome.all_events:
        result = by_step.get(event.step_key or "")
        if result is None:
            continue
        if event.is_step_materialization:
            value = event.step_materialization_data.materialization.metadata["dagster/row_count"]
            result.rows = int(str(value.value))
        elif event.is_step_success:
            result.seconds = event.step_success_data.duration_ms / 1000
        elif event.is_step_failure:
            error = event.step_failure_data
            told = error.user_failure_data.description if error.user_failure_data else None
            result.problem = told or (error.error.message if error.error else "failed")
        elif event.is_step_skipped:
            result.problem = "skipped, because an asset that it depends on failed"
    for evaluation in outcome.get_asset_check_evaluations():
        result = results[evaluation.asset_key]
        result.checks += 1
        result.checks_passed += evaluation.passed
    return list(results.values())


def _table(results: Sequence[AssetResult]) -> Table:
    table = Table("asset", "partitions", "rows", "checks", "seconds")
    for column in table.columns[1:]:
        column.justify = "right"
    for result in results:
        green = result.succeeded
        checks = f"{result.checks_passed} of {result.checks} passed"
        table.add_row(
            result.key.to_user_string(),
            "" if result.partitions is None else str(result.partitions),
            "" if result.rows is None else f"{result.rows:,}",
            checks if green else f"[red]{'failed' if result.problem else checks}[/]",
            "" if result.seconds is None else f"{result.seconds:.1f}",
        )
    return table
