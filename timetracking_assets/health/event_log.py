"""What has happened, read from the Dagster instance's event log.

Everything is read in bulk or with a limit: an event log holds an event for each partition of each
asset, and reading them all would take minutes. What the facts mean is decided in `judgement.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import AssetRecordsFilter, DagsterEventType

from timetracking_assets.health.model import CheckResult, Load, PartitionState
from timetracking_assets.health.watched import WatchedAsset
from timetracking_assets.orchestration.automation.freshness import Verdict, judge
from timetracking_assets.orchestration.check_history import check_history
from timetracking_assets.orchestration.partitions import known_partitions
from timetracking_assets.orchestration.runs import Runs

LOADS = 30
"""How many loads of an asset the report looks back on."""
RESULTS = 60
"""How many evaluations of a check it looks back on."""
INCIDENT_DAYS = 90
"""How many days of failed runs it looks back on, and how many of these runs at most."""
_MOST_FAILED_RUNS = 200
_PAGE = LOADS
_MOST_PAGES = 8
_STATES = {
    "MATERIALIZED": PartitionState.LOADED,
    "FAILED": PartitionState.FAILED,
    "IN_PROGRESS": PartitionState.RUNNING,
}


@dataclass(frozen=True)
class Attempt:
    """The newest run that set out to load an asset and has not done so (yet)."""

    run_id: str
    status: dg.DagsterRunStatus
    since: datetime | None
    error: str | None = None


@dataclass(frozen=True)
class AssetFacts:
    """What has happened to one asset. `loads` and the results of checks are newest first."""

    loads: tuple[Load, ...] = ()
    attempt: Attempt | None = None
    partitions: Mapping[str, PartitionState] = field(default_factory=dict)
    """State by partition key, for those of which anything is known."""
    checks: Mapping[str, tuple[CheckResult, ...]] = field(default_factory=dict)
    failures: tuple[datetime, ...] = ()
    """When loads failed, as far back as `loads` reach."""
    known_since: datetime | None = None
    """Since when nothing that went wrong is missing here; None if it was never loaded."""
    freshness: Verdict = Verdict(None)  # noqa: RUF009 - it can't be changed


def read_facts(
    instance: dg.DagsterInstance, assets: Sequence[WatchedAsset], now: datetime
) -> dict[dg.AssetKey, AssetFacts]:
    """The facts of each asset, up to `now`."""
    records = {
        record.asset_entry.asset_key: record.asset_entry
        for record in instance.get_asset_records([asset.key for asset in assets])
    }
    runs = Runs(instance)
    failures = _failures(instance, runs, now)
    facts = {}
    for asset in assets:
        entry = records.get(asset.key)
        if entry is None:
            facts[asset.key] = AssetFacts()
            continue
        loads, checks = _loads(instance, asset.key, runs), _checks(instance, asset)
        known_since = _known_since(loads, checks)
        facts[asset.key] = AssetFacts(
            loads=loads,
            failures=tuple(
                at
                for at in failures.get("__".join(asset.key.path), ())
                if known_since is not None and (len(loads) < LOADS or at >= known_since)
            ),
            known_since=known_since,
            attempt=_attempt(instance, asset.key, entry.last_materialization_storage_id, runs),
            partitions=_partitions(instance, asset, now),
            checks=checks,
            freshness=judge(
                asset.key,
                asset.freshness,
                asset.partitions,
                instance,
                loads[0].at if loads else None,
                now,
            ),
        )
    return facts


def _failures(instance: dg.DagsterInstance, runs: Runs, now: datetime) -> dict[str, list[datetime]]:
    """When each step failed, by step key."""
    failed = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], created_after=now - timedelta(days=INCIDENT_DAYS)
    )
    failures: dict[str, list[datetime]] = {}
    for record in instance.get_run_records(failed, limit=_MOST_FAILED_RUNS):
        ended = record.end_time or record.update_timestamp.timestamp()
        for step in runs.problems(record.dagster_run.run_id):
            failures.setdefault(step, []).append(_instant(ended))
    return failures


def _known_since(
    loads: Sequence[Load], checks: Mapping[str, Sequence[CheckResult]]
) -> datetime | None:
    if not loads:
        return None
    # a history as long as was read may have more before it
    cut = [results[-1].at for results in checks.values() if len(results) == RESULTS]
    return max([loads[-1].at, *cut])


def _loads(instance: dg.DagsterInstance, key: dg.AssetKey, runs: Runs) -> tuple[Load, ...]:
    """One load for each run. A range of partitions leaves an event for each partition: once a run
    is known, the next page is of what came before it started."""
    loads: dict[str, Load] = {}
    before: float | None = None
    for _ in range(_MOST_PAGES):
        page = instance.fetch_materializations(
            AssetRecordsFilter(asset_key=key, before_timestamp=before), limit=_PAGE
        )
        for record in page.records:
            if record.run_id not in loads and len(loads) < LOADS:
                loads[record.run_id] = _load(record)
        if len(page.records) < _PAGE or len(loads) >= LOADS:
            break
        oldest = page.records[-1]
        run = runs.record(oldest.run_id)
        started = run.start_time if run else None
        before = min(started or oldest.timestamp, oldest.timestamp)
    return tuple(loads.values())


def _load(record: dg.EventLogRecord) -> Load:
    materialization = record.asset_materialization
    metadata = materialization.metadata if materialization else {}
    numbers = {
        name: float(value.value)
        for name, value in metadata.items()
        if isinstance(value.value, int | float) and not isinstance(value.value, bool)
    }
    return Load(record.run_id, _instant(record.timestamp), numbers)


def _attempt(
    instance: dg.DagsterInstance, key: dg.AssetKey, loaded: int | None, runs: Runs
) -> Attempt | None:
    planned = instance.get_latest_planned_materialization_info(key)
    if planned is None or (loaded is not None and planned.storage_id < loaded):
        return None
    record = runs.record(planned.run_id)
    if record is None:
        return None
    run = record.dagster_run
    error = None
    if run.status == dg.DagsterRunStatus.FAILURE:
        error = runs.problems(run.run_id).get("__".join(key.path))
    since = record.start_time or record.create_timestamp.timestamp()
    return Attempt(run.run_id, run.status, _instant(since), error)


def _partitions(
    instance: dg.DagsterInstance, asset: WatchedAsset, now: datetime
) -> dict[str, PartitionState]:
    if asset.partitions is None:
        return {}
    loaded, planned = (
        instance.get_latest_storage_id_by_partition(asset.key, event)
        for event in (
            DagsterEventType.ASSET_MATERIALIZATION,
            DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        )
    )
    states = dict.fromkeys(loaded, PartitionState.LOADED)
    # the others need a look at their runs, which is slow for thousands
    keys = set(known_partitions(asset.partitions, now))
    open_ones = [k for k, at in planned.items() if at > loaded.get(k, 0) and k in keys]
    if open_ones:
        statuses = instance.get_status_by_partition(asset.key, open_ones, asset.partitions) or {}
        states |= {key: _STATES[status.value] for key, status in statuses.items() if status}
    return states


def _checks(
    instance: dg.DagsterInstance, asset: WatchedAsset
) -> dict[str, tuple[CheckResult, ...]]:
    checks = {}
    for spec in asset.checks:
        checks[spec.name] = tuple(
            CheckResult(
                at=_instant(record.at),
                passed=record.result.passed,
                is_error=spec.blocking or record.result.severity == dg.AssetCheckSeverity.ERROR,
                run_id=record.run_id,
                description=record.result.description,
            )
            for record in check_history(instance, spec.key, limit=RESULTS)
            if record.result is not None
        )
    return checks


def _instant(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
