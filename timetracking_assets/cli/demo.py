"""The demo: every asset of the given APIs through real Dagster runs, with live progress.

One run for each API and kind of partitions, a range of partitions in one run; runs of different
APIs at the same time, in processes of their own; then one run for the model of hours. Only running
and printing belong here; the definitions are the code location's.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from multiprocessing import get_context

import dagster as dg
from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Column, Table

from timetracking_assets.cli.code_location import load_definitions, warehouse_of
from timetracking_assets.cli.workspace import Workspace
from timetracking_assets.health.text import counted
from timetracking_assets.hours.tables import SCHEMA
from timetracking_assets.orchestration.asset_specs import lookback_of
from timetracking_assets.orchestration.partitions import (
    known_partitions,
    loaded_partitions,
    longest,
    range_tags,
    since_first_gap,
    trailing_range,
)
from timetracking_assets.orchestration.runs import step_problem
from timetracking_assets.warehouse.base import Warehouse

_PATIENCE = 10.0
"""Seconds that another load or program may take to let the warehouse go before anything begins."""
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class AssetResult:
    """What became of one asset."""

    key: dg.AssetKey
    partitions: int | None
    rows: int | None = None
    checks_passed: int = 0
    checks: int = 0
    warnings: int = 0
    seconds: float | None = None
    problem: str | None = None

    @property
    def succeeded(self) -> bool:
        """Loaded, and no check failed; a warning is about what the data says."""
        judged = self.checks_passed + self.warnings
        return self.problem is None and self.rows is not None and judged == self.checks


@dataclass(frozen=True)
class _Run:
    keys: tuple[dg.AssetKey, ...]
    partitions: tuple[str, ...] = ()
    """The partition keys, in order, all of which the run loads as one range."""


def run_demo(console: Console, workspace: Workspace, apis: Sequence[str]) -> bool:
    """Materialize all assets of `apis`; true if all are loaded and all checks passed.

    Raises LoadError if the code location can't be loaded, IngestError if its warehouse can't be
    opened.
    """
    started = time.monotonic()
    with _workers(workspace, len(apis)) as (pool, workers):
        with console.status("Loading the definitions"), dg.DagsterInstance.get() as instance:
            # made by one process before several use it: the first use of an empty home is not safe
            instance.get_runs(limit=1)
            definitions = load_definitions(workspace)
            warehouse = warehouse_of(definitions)
            check_warehouse(warehouse, apis)
            plan = _plan(definitions, apis, instance, warehouse, datetime.now(UTC))
        if not plan:
            console.print(f"The code location has no assets of {', '.join(apis)}.", style="yellow")
            return False
        results = _execute_all(console, pool, workers, plan)
    if (model := _model_of_hours(definitions)).keys:
        with console.status("Building the model of hours"):
            results += _execute(model, definitions)
    console.print(_table(results))
    failed = [result for result in results if not result.succeeded]
    for result in failed:
        if result.problem:
            # an API's own messages may look like markup
            name = result.key.to_user_string()
            problem = escape(result.problem.removeprefix(f"{name}: "))
            console.print(f"[red]{name}[/]: {problem}", soft_wrap=True)
    checks = sum(result.checks_passed for result in results)
    console.print(
        f"{len(results) - len(failed)} of {counted(len(results), 'asset')} loaded and green, "
        f"{counted(checks, 'check')} passed, {time.monotonic() - started:.0f} s."
    )
    return not failed


def check_warehouse(warehouse: Warehouse, apis: Sequence[str], patience: float = _PATIENCE) -> None:
    """Raise IngestError if the warehouse can't be written, or is held for longer than `patience`
    seconds: each run would wait for it, and fail, one after the other.

    A file that does not exist is not made: it would look like one that has been loaded into.
    """
    warehouse = replace(warehouse, lock_timeout=patience)
    warehouse.prepare()
    for api in apis[:1]:
        if warehouse.has_dataset(api):
            with warehouse.exclusive("timetracking demo", dataset=api):
                pass


def _model_of_hours(definitions: dg.Definitions) -> _Run:
    """The run that builds the model from what has been loaded, whatever failed of it."""
    keys = (spec.key for spec in definitions.resolve_all_asset_specs())
    return _Run(tuple(key for key in keys if key.path[0] == SCHEMA))


def _plan(
    definitions: dg.Definitions,
    apis: Sequence[str],
    instance: dg.DagsterInstance,
    warehouse: Warehouse,
    now: datetime,
) -> list[list[_Run]]:
    """For each API its runs, in the order in which they depend on each other."""
    plan: list[list[_Run]] = []
    for api in apis:
        runs: dict[tuple[dg.PartitionsDefinition | None, tuple[str, ...]], list[dg.AssetKey]] = {}
        for spec in definitions.resolve_all_asset_specs():
            if spec.key.path[0] == api:
                partitions = tuple(_partitions(spec, instance, warehouse, now))
                runs.setdefault((spec.partitions_def, partitions), []).append(spec.key)
        ordered = sorted(runs.items(), key=lambda item: item[0][0] is not None)
        if ordered:
            plan.append([_Run(tuple(keys), partitions) for (_, partitions), keys in ordered])
    return plan


def _partitions(
    spec: dg.AssetSpec, instance: dg.DagsterInstance, warehouse: Warehouse, now: datetime
) -> list[str]:
    """All partitions the first time; later what isn't loaded yet, and the days of the lookback."""
    definition = spec.partitions_def
    if not isinstance(definition, dg.TimeWindowPartitionsDefinition):
        return []
    known = known_partitions(definition, now)
    if not warehouse.has_dataset(spec.key.path[0]):
        # the tables that the instance has recorded don't exist any more
        return list(known)
    loaded = loaded_partitions(instance, spec.key, definition, known)
    trailing = trailing_range(definition, known, lookback_of(spec), now)
    return longest(since_first_gap(known, loaded), trailing)


@contextmanager
def _workers(workspace: Workspace, apis: int) -> Iterator[tuple[ProcessPoolExecutor, int]]:
    """Processes that execute runs, and how many; they load the definitions at once, while the runs
    are planned."""
    number = max(1, min(os.cpu_count() or 1, apis, 4))
    with ProcessPoolExecutor(
        number,
        mp_context=get_context("spawn"),
        initializer=_start_worker,
        initargs=(os.getpid(), workspace),
    ) as pool:
        for _ in range(number):
            pool.submit(_definitions)
        yield pool, number


def _execute_all(
    console: Console, pool: ProcessPoolExecutor, workers: int, plan: Sequence[Sequence[_Run]]
) -> list[AssetResult]:
    waiting = sorted((list(runs) for runs in plan), key=_weight, reverse=True)
    results: list[AssetResult] = []
    total = sum(len(run.keys) for runs in plan for run in runs)
    with Live(console=console, transient=True) as live:
        running: dict[Future[list[AssetResult]], list[_Run]] = {}
        while waiting or running:
            while waiting and len(running) < workers:
                runs = waiting.pop(0)
                running[pool.submit(_execute, runs[0])] = runs
            now = "; ".join(_names(runs[0]) for runs in running.values())
            live.update(Spinner("dots", f"{len(results)} of {total} assets; loading {now}"))
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                results += future.result()
                if rest := running.pop(future)[1:]:
                    waiting.insert(0, rest)
    return sorted(results, key=lambda result: result.key.to_user_string())


def _weight(runs: Sequence[_Run]) -> int:
    # Dagster writes an event for each partition: these runs last longest, so they go first
    return sum(len(run.keys) * 50 + len(run.partitions) for run in runs)


def _names(run: _Run) -> str:
    api = run.keys[0].path[0]
    return f"{api} ({len(run.keys)})" if len(run.keys) > 1 else run.keys[0].to_user_string()


def _start_worker(parent: int, workspace: Workspace) -> None:
    """Let no worker outlive a killed demo: it would go on loading beside the next one."""
    global _workspace
    _workspace = workspace

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


_workspace: Workspace
"""What a worker process loads from; set when it starts."""


@cache
def _definitions() -> dg.Definitions:
    return load_definitions(_workspace)


def _execute(run: _Run, definitions: dg.Definitions | None = None) -> list[AssetResult]:
    """Do one run; in a worker process, of its own definitions."""
    results = {key: AssetResult(key, len(run.partitions) or None) for key in run.keys}
    by_step = {"__".join(key.path): result for key, result in results.items()}
    with dg.DagsterInstance.get() as instance:
        outcome = (
            (definitions or _definitions())
            .resolve_implicit_global_asset_job_def()
            .execute_in_process(
                instance=instance,
                asset_selection=list(run.keys),
                tags=range_tags(run.partitions),
                run_config=_QUIET,
                raise_on_error=False,
            )
        )
        events, evaluations = outcome.all_events, outcome.get_asset_check_evaluations()
    for event in events:
        # the model's tables have one step in common
        key = event.asset_key if event.is_step_materialization else None
        of_event = results.get(key) if key else None
        if (result := of_event or by_step.get(event.step_key or "")) is not None:
            _note(event, result)
        elif event.is_step_failure:
            # the step of the checks that all of the run's assets have in common
            for result in results.values():
                result.problem = result.problem or step_problem(event)
    for result in results.values():
        if result.rows is None and result.problem is None:
            # Dagster records nothing for a step that it never starts
            result.problem = "not run, because an asset that it depends on failed"
    for evaluation in evaluations:
        result = results[evaluation.asset_key]
        result.checks += 1
        result.checks_passed += evaluation.passed
        warned = not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.WARN
        result.warnings += warned
    return list(results.values())


def _note(event: dg.DagsterEvent, result: AssetResult) -> None:
    if event.is_step_materialization:
        metadata = event.step_materialization_data.materialization.metadata
        # of a range, only its newest partition's event has it
        if (rows := metadata.get("dagster/row_count")) is not None:
            result.rows = int(str(rows.value))
        if (seconds := metadata.get("seconds_build")) is not None:
            result.seconds = float(str(seconds.value))
    elif event.is_step_success:
        result.seconds = event.step_success_data.duration_ms / 1000
    elif event.is_step_failure:
        result.problem = step_problem(event)


def _table(results: Sequence[AssetResult]) -> Table:
    # names and figures stay whole at 80 columns: the API is a line of its own
    table = Table(Column("asset", no_wrap=True), box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("partitions", "rows", "checks", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for api, members in groupby(results, key=lambda result: result.key.path[0]):
        table.add_row(f"[bold]{escape(api)}[/]")
        for result in members:
            _add_row(table, result)
    return table


def _add_row(table: Table, result: AssetResult) -> None:
    green = result.succeeded
    checks = f"{result.checks_passed} of {result.checks} passed" if result.checks else "none"
    if result.warnings:
        checks += f", [yellow]{counted(result.warnings, 'warning')}[/]"
    table.add_row(
        f"  {escape('/'.join(result.key.path[1:]))}",
        "" if result.partitions is None else str(result.partitions),
        "" if result.rows is None else f"{result.rows:,}",
        checks if green else f"[red]{'failed' if result.problem else checks}[/]",
        "" if result.seconds is None else f"{result.seconds:.1f}",
    )
