"""Retention: what runs leave behind is removed after some days; what tells the state of a table
stays, however old.

Only the settings, the job and its schedule belong here, and which runs are removed when. How a run
is removed from the instance is in `stored_runs.py`, a note from the warehouse in
`warehouse/dlt_tables.py`. Ticks of schedules and sensors are removed by Dagster itself
(`retention` in `dagster.yaml`).
"""

import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from timetracking_assets.errors import IngestError
from timetracking_assets.orchestration.asset_specs import SYNC_MODE_TAG
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
from timetracking_assets.orchestration.stored_runs import (
    remove_plans,
    remove_run,
    remove_steps,
    telling_runs,
)
from timetracking_assets.warehouse.base import Warehouse
from timetracking_assets.warehouse.dlt_tables import prune_notes

VARIABLE = "TIMETRACKING_KEEP_DAYS"
OTHERS_VARIABLE = "TIMETRACKING_KEEP_DAYS_OTHERS"
JOB = "retention"
DAYS = 90.0
"""How many days of failed runs the health page shows: they are never removed earlier."""
_FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
_PAGE = 500


@dataclass
class Removed:
    """What one run of the job has removed."""

    runs: int = 0
    """Whole runs, which no longer told the state of anything."""
    runs_of_steps: int = 0
    """Runs that tell it, and were looked at for the events and the output of their steps."""
    plans_of_checks: int = 0
    notes_of_loads: int = 0


def keep_days(variable: str = VARIABLE, unset: float | None = DAYS) -> float | None:
    """The days that a setting names; None for `off`.

    Raises DagsterInvalidDefinitionError for what is neither.
    """
    value = os.environ.get(variable, "").strip().lower()
    if not value:
        return unset
    if value == "off":
        return None
    try:
        days = float(value)
    except ValueError:
        days = math.nan
    if not 0 < days < math.inf:
        raise dg.DagsterInvalidDefinitionError(
            f"{variable} is {value!r}: it must be a number of days, or `off`"
        )
    return days


def build_retention_definitions(watched: dg.Definitions) -> dg.Definitions:
    """The job that removes what the runs of the assets of `watched` have left, and its schedule.

    Only runs of assets that use the resource `warehouse` are removed; those of others, and of other
    jobs, as TIMETRACKING_KEEP_DAYS_OTHERS says.
    """

    @dg.op(description="Removes what runs and loads have left behind, and what nobody needs.")
    def remove_old_runs(
        context: dg.OpExecutionContext, warehouse: dg.ResourceParam[WarehouseResource]
    ) -> None:
        now, days = datetime.now(UTC), keep_days()
        removed = Removed()
        if days is not None:
            ours = _our_keys(watched)
            _remove_runs(context.instance, watched, ours, now, days, removed)
            removed.plans_of_checks = remove_plans(context.instance, sorted(ours))
            opened = warehouse.open()
            before = now - timedelta(days=days)
            for dataset in _datasets(watched):
                holder = f"run {context.run.run_id}, retention"
                removed.notes_of_loads += _prune(opened, dataset, before, holder)
        context.add_output_metadata(asdict(removed))
        context.log.info(", ".join(f"{name} {count}" for name, count in asdict(removed).items()))

    @dg.job(
        name=JOB,
        description="Removes runs, their output and dlt's notes of loads after "
        f"{VARIABLE} days, but for what tells the state of a table.",
    )
    def retention() -> None:
        remove_old_runs()

    on = keep_days() is not None
    schedule = dg.ScheduleDefinition(
        name="retention_schedule",
        job=retention,
        cron_schedule="40 3 * * *",
        default_status=(
            dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED
        ),
        description="Removes old runs each night.",
    )
    return dg.Definitions(jobs=[retention], schedules=[schedule])


def _our_keys(watched: dg.Definitions) -> set[dg.AssetKey]:
    return {
        key
        for definition in watched.resolve_asset_graph().assets_defs
        if WAREHOUSE in definition.required_resource_keys
        for key in definition.keys
    }


def _datasets(watched: dg.Definitions) -> list[str]:
    """The APIs that tables are loaded from by dlt."""
    specs = watched.resolve_all_asset_specs()
    return sorted({spec.key.path[0] for spec in specs if SYNC_MODE_TAG in spec.tags})


def _remove_runs(
    instance: dg.DagsterInstance,
    watched: dg.Definitions,
    ours: set[dg.AssetKey],
    now: datetime,
    days: float,
    removed: Removed,
) -> None:
    other_days = keep_days(OTHERS_VARIABLE, unset=None)
    our_jobs = {JOB} | {
        job.name
        for job in watched.resolve_all_job_defs()
        if (keys := set(job.asset_layer.executable_asset_keys)) and keys <= ours
    }
    keys = set(ours) if other_days is None else {*ours, *instance.all_asset_keys()}
    checks = watched.resolve_asset_graph().asset_check_keys
    telling = telling_runs(instance, keys, checks)
    shortest = min(days, other_days or days)
    for run_id, ended, failed, own in _ended_runs(
        instance, ours, our_jobs, now - timedelta(days=shortest)
    ):
        kept = days if own else other_days
        if kept is None or ended > now - timedelta(days=max(kept, DAYS) if failed else kept):
            continue
        if run_id not in telling:
            remove_run(instance, run_id)
            removed.runs += 1
        elif not failed:
            remove_steps(instance, run_id)
            removed.runs_of_steps += 1


def _ended_runs(
    instance: dg.DagsterInstance, ours: set[dg.AssetKey], our_jobs: set[str], before: datetime
) -> Iterator[tuple[str, datetime, bool, bool]]:
    """Runs that ended before that instant: id, when, whether they failed, whether they are ours."""
    chosen = dg.RunsFilter(statuses=_FINISHED, updated_before=before)
    cursor: str | None = None
    runs: list[tuple[str, datetime, bool, bool]] = []
    while page := instance.get_run_records(chosen, limit=_PAGE, cursor=cursor):
        for record in page:
            run = record.dagster_run
            selected = {
                *(run.asset_selection or ()),
                *(check.asset_key for check in run.asset_check_selection or ()),
            }
            runs.append(
                (
                    run.run_id,
                    record.update_timestamp.replace(tzinfo=UTC),
                    run.status == dg.DagsterRunStatus.FAILURE,
                    selected <= ours if selected else run.job_name in our_jobs,
                )
            )
        cursor = page[-1].dagster_run.run_id
    # the cursor is a run: none is removed before the last page was read
    yield from runs


def _prune(warehouse: Warehouse, dataset: str, before: datetime, holder: str) -> int:
    problem = ""
    try:
        if not warehouse.has_dataset(dataset):
            return 0
        with warehouse.exclusive(holder, dataset=dataset) as opened:
            return prune_notes(opened, dataset, before)
    except IngestError as error:
        problem = str(error)
    raise dg.Failure(problem)
