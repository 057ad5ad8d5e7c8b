"""What is wrong now with the assets of an API: failed loads, failed checks, overdue partitions.

All of it is read from the instance's event log; who gets a message is decided in
`failures_sensor.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.automation.freshness import CHECK, judge_resource
from timetracking_assets.orchestration.check_history import latest_checks
from timetracking_assets.orchestration.runs import Runs
from timetracking_assets.spec.api import Api

_LONGEST = 300
"""Characters of a message about one incident: it is read on a phone."""


@dataclass(frozen=True)
class Incident:
    """One thing that is wrong, since an instant (UNIX seconds)."""

    asset: str
    what: str
    since: float
    run_id: str | None = None


@dataclass
class Observed:
    """The incidents of now, by key; and the keys that can't be judged now, because a run is under
    way: these stay as they were."""

    incidents: dict[str, Incident] = field(default_factory=dict)
    undecided: set[str] = field(default_factory=set)


def incident_keys(api: Api, checks: Iterable[dg.AssetCheckKey]) -> set[str]:
    """The keys of all possible incidents."""
    labels = [resource.label for resource in api.resources.values()]
    return {
        *(f"{what} {label}" for what in ("load", "freshness") for label in labels),
        *(f"check {check.asset_key.to_user_string()} {check.name}" for check in checks),
    }


def observe(
    api: Api,
    instance: dg.DagsterInstance,
    checks: Iterable[dg.AssetCheckKey],
    now: datetime,
) -> Observed:
    """Look at the last load of each asset of `api`, at its `checks` and at its freshness."""
    observed = Observed()
    runs = Runs(instance)
    _loads(api, instance, runs, observed)
    _checks(instance, [key for key in checks if key.name != CHECK], observed)
    for resource in api.resources.values():
        verdict = judge_resource(resource, instance, now)
        if verdict.fresh is False and verdict.since:
            missing = f"{verdict.partition} is overdue" if verdict.partition else "is overdue"
            observed.incidents[f"freshness {resource.label}"] = Incident(
                resource.label, missing, verdict.since.timestamp()
            )
    return observed


def _why(runs: Runs, run_id: str, step: str) -> str:
    """Why the step of a failed run did not succeed."""
    problems = runs.problems(run_id)
    if step in problems:
        return " ".join(problems[step].split())[:_LONGEST]
    return "not loaded, because another step of the run failed" if problems else "the run was lost"


def _loads(api: Api, instance: dg.DagsterInstance, runs: Runs, observed: Observed) -> None:
    resources = {asset_key(item): item for item in api.resources.values()}
    for record in instance.get_asset_records(list(resources)):
        entry = record.asset_entry
        resource = resources[entry.asset_key]
        key = f"load {resource.label}"
        if entry.last_run_id is None:
            continue
        last = entry.last_materialization
        if last is not None and last.run_id == entry.last_run_id:
            continue
        run = runs.record(entry.last_run_id)
        # a deleted run proves nothing, least of all a recovery
        if run and run.dagster_run.status == dg.DagsterRunStatus.FAILURE:
            observed.incidents[key] = Incident(
                resource.label,
                "failed: " + _why(runs, entry.last_run_id, f"{api.name}__{resource.name}"),
                run.end_time or run.update_timestamp.timestamp(),
                entry.last_run_id,
            )
        else:
            observed.undecided.add(key)


def _checks(
    instance: dg.DagsterInstance,
    checks: list[dg.AssetCheckKey],
    observed: Observed,
) -> None:
    for check, record in latest_checks(instance, checks).items():
        asset = check.asset_key.to_user_string()
        key = f"check {asset} {check.name}"
        result = record.result
        if result is None:
            # its run is under way, or ended early, which is an incident of the load
            observed.undecided.add(key)
        elif not result.passed:
            word = "warns" if result.severity == dg.AssetCheckSeverity.WARN else "failed"
            description = f": {result.description}" if result.description else ""
            observed.incidents[key] = Incident(
                asset,
                f"check {check.name} {word}{description}"[:_LONGEST],
                record.at,
                record.run_id or None,
            )


def text_of(incident: Incident) -> str:
    """One line: what, since when."""
    since = datetime.fromtimestamp(incident.since, UTC)
    return f"{incident.asset} {incident.what} (since {since:%Y-%m-%d %H:%M} UTC)"
