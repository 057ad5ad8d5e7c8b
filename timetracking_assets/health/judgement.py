"""From facts to a report: what is ok, what isn't, and what to do about it.

Pure functions of definitions and facts; nothing is read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

import dagster as dg

from timetracking_assets.health.event_log import AssetFacts, Attempt
from timetracking_assets.health.freshness import describe_freshness
from timetracking_assets.health.incidents import (
    check_incidents,
    load_incidents,
    ordered_days,
)
from timetracking_assets.health.model import (
    ApiHealth,
    AssetHealth,
    CheckHealth,
    NextRun,
    Partition,
    PartitionState,
    Problem,
    Report,
    State,
    worst,
)
from timetracking_assets.health.text import counted
from timetracking_assets.health.watched import WatchedAsset
from timetracking_assets.orchestration.checks.quality_checks import SCHEMA
from timetracking_assets.orchestration.partitions import known_partitions
from timetracking_assets.orchestration.runs import UNFINISHED

PartitionRows = Mapping[dg.AssetKey, Mapping[str, int]]
"""Rows that the tables hold, by asset and partition key."""
_PERIODS = (30, 90)


def build_report(
    assets: Sequence[WatchedAsset],
    facts: Mapping[dg.AssetKey, AssetFacts],
    rows: PartitionRows,
    now: datetime,
    notes: Sequence[str] = (),
    upcoming: Mapping[dg.AssetKey, NextRun] | None = None,
) -> Report:
    """Judge every asset; an API of which nothing was ever loaded or tried is not in use."""
    apis = []
    for group, members in groupby(assets, key=lambda asset: asset.group):
        watched = list(members)
        used = any(facts[a.key].loads or facts[a.key].attempt for a in watched)
        judged = [
            replace(
                _judge(a, facts[a.key], rows.get(a.key, {}), used, now),
                next_run=(upcoming or {}).get(a.key),
            )
            for a in watched
        ]
        apis.append(ApiHealth(group, tuple(judged)))
    return Report(now, tuple(apis), tuple(notes))


def _judge(
    asset: WatchedAsset, facts: AssetFacts, rows: Mapping[str, int], used: bool, now: datetime
) -> AssetHealth:
    last_success = facts.loads[0].at if facts.loads else None
    checks = tuple(
        CheckHealth(spec.name, spec.description, facts.checks.get(spec.name, ()))
        for spec in asset.checks
    )
    fresh, freshness = describe_freshness(facts.freshness, asset.freshness, last_success, now)
    partitions = _partitions(asset, facts, rows, now)
    problems: list[Problem] = []
    link = "/assets/" + "/".join(asset.key.path)
    if facts.attempt and facts.attempt.status not in UNFINISHED:
        problems.append(_attempt_problem(facts.attempt))
    problems += _partition_problems(partitions, bool(facts.loads), link)
    problems += [_check_problem(check, link) for check in checks if check.state > State.OK]
    if fresh > State.OK:
        advice = "Load it, and check that its schedule is switched on."
        problems.append(Problem(fresh, f"Not fresh: {freshness}", advice, link))
    if used and last_success is None and not problems:
        advice = "Materialize it, or remove it from defs.yaml if you don't need it."
        problems.append(Problem(State.WARNING, "Never loaded", advice, link))
    state = worst([problem.state for problem in problems])
    incidents = load_incidents(facts.failures, facts.loads)
    for name, results in facts.checks.items():
        incidents += check_incidents(name, results)
    newest = facts.loads[0].numbers if facts.loads else {}
    count = newest.get("dagster/row_count")
    return AssetHealth(
        path=tuple(asset.key.path),
        group=asset.group,
        description=asset.description,
        state=state or (State.OK if last_success else State.UNUSED),
        last_success=last_success,
        freshness=freshness,
        freshness_state=fresh,
        rows=None if count is None else int(count),
        problems=tuple(problems),
        checks=checks,
        loads=facts.loads,
        partitions=partitions,
        running=bool(facts.attempt and facts.attempt.status in UNFINISHED),
        owners=asset.owners,
        downstream=asset.downstream,
        incidents=tuple(sorted(incidents, key=lambda item: item.began, reverse=True)),
        ordered_days=tuple(
            ordered_days(incidents, facts.known_since, now, days) for days in _PERIODS
        ),
        schema_changes=tuple(
            result for result in facts.checks.get(SCHEMA, ()) if not result.passed
        ),
    )


def _attempt_problem(attempt: Attempt) -> Problem:
    if attempt.status == dg.DagsterRunStatus.CANCELED:
        state, what = State.WARNING, "The last run was cancelled"
    elif attempt.error is None:
        # another step of the run failed, and this asset depends on it
        state, what = State.FAILED, "Not loaded by the last run, which failed"
    else:
        state, what = State.FAILED, "The last load failed; the table is as it was before"
    advice = "Read the run's error, fix the cause, then re-execute the run from failure."
    return Problem(
        state, what, advice, f"/runs/{attempt.run_id}", since=attempt.since, detail=attempt.error
    )


def _partitions(
    asset: WatchedAsset, facts: AssetFacts, rows: Mapping[str, int], now: datetime
) -> tuple[Partition, ...]:
    if asset.partitions is None:
        return ()
    started = False
    partitions = []
    for key in known_partitions(asset.partitions, now):
        state = facts.partitions.get(key)
        started = started or state is not None
        if state is None:
            state = PartitionState.MISSING if started else PartitionState.NOT_STARTED
        partitions.append(Partition(key, state, rows.get(key)))
    return tuple(partitions)


def _partition_problems(partitions: Sequence[Partition], used: bool, link: str) -> list[Problem]:
    failed = [p.key for p in partitions if p.state == PartitionState.FAILED]
    # a gap has loaded partitions after it; the newest ones are a matter of freshness
    loaded = [i for i, p in enumerate(partitions) if p.state == PartitionState.LOADED]
    last = loaded[-1] if loaded else 0
    gaps = [p.key for p in partitions[:last] if p.state == PartitionState.MISSING]
    before = [p.key for p in partitions if p.state == PartitionState.NOT_STARTED]
    where = f"{link}?view=partitions"
    problems = []
    if failed:
        advice = "Materialize the failed partitions again."
        problems.append(Problem(State.FAILED, _partitions_text(failed, "failed"), advice, where))
    if gaps:
        advice = "Materialize the missing partitions."
        what = _partitions_text(gaps, "missing between others")
        problems.append(Problem(State.FAILED, what, advice, where))
    # also if the asset was loaded before its partitions were defined differently
    if before and used:
        advice = "Backfill them, or let the partitions start later (`partitions: {start: ...}`)."
        what = _partitions_text(before, "before the first load")
        problems.append(Problem(State.WARNING, what, advice, where))
    return problems


def _partitions_text(keys: Sequence[str], what: str) -> str:
    names = ", ".join(keys) if len(keys) <= 3 else f"{keys[0]} to {keys[-1]}"
    return f"{counted(len(keys), 'partition')} {what}: {names}"


def _check_problem(check: CheckHealth, link: str) -> Problem:
    since = check.results[0].at
    for result in check.results:
        if result.passed:
            break
        since = result.at
    return Problem(
        check.state,
        f"Check {check.name} failed",
        check.description or "Look at the check's result.",
        f"{link}?view=checks&checkDetail={check.name}",
        since=since,
        detail=check.results[0].description,
    )
