"""The changes sensor: probes each resource that has a `probe`, and loads those that have changed.

The probe itself is in `ingest/change_probe.py`; which partitions a run then loads, in
`partitions.py`. The cursor holds, for each resource, when it was last probed, and a fingerprint of
the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
from pydantic import BaseModel, ConfigDict, TypeAdapter

from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.change_probe import ProbeResult, asks_since, probe
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.windows import Window
from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.automation.jobs import (
    asset_job,
    run_requests,
    sensor_status,
)
from timetracking_assets.orchestration.failures import or_ingest_error
from timetracking_assets.orchestration.partitions import partitions_definition, regular_range
from timetracking_assets.orchestration.runs import is_running
from timetracking_assets.spec.api import Api, Resource

_OVERLAP = timedelta(seconds=60)
"""How far a probe overlaps the last one: clocks differ."""

_WHAT = "Probes the API, and loads the resources that have changed."


class _Seen(BaseModel):
    """The last probe of a resource: when, of which `window`, and a fingerprint of its answer.

    `stale` is the resource's last load, if a newer one has been requested.
    """

    at: datetime
    fingerprint: str
    window: str = ""
    stale: datetime | None = None


_CURSOR = TypeAdapter(dict[str, _Seen], config=ConfigDict(defer_build=True))


def changes_sensor(api: Api) -> dg.SensorDefinition | None:
    """The sensor of `api`; None if none of its resources has a probe."""
    probed = [item for item in api.resources.values() if item.automation.probe]
    if not probed:
        return None
    name = f"{api.name}_changes"
    intervals = {item.name: _interval(item) for item in probed}

    @dg.sensor(
        name=name,
        job=asset_job(name, "changes", probed, _WHAT),
        minimum_interval_seconds=int(min(intervals.values()).total_seconds()),
        description=_WHAT,
        default_status=sensor_status(api),
        required_resource_keys={api.name},
    )
    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if is_running(context.instance, name):
            return dg.SkipReason(f"The last run of {name} has not ended yet.")
        now = datetime.now(UTC)
        cursor = _CURSOR.validate_json(context.cursor or "{}")
        # a second's grace: ticks come a little early or late
        due = [
            item
            for item in probed
            if item.name not in cursor
            or cursor[item.name].at + intervals[item.name] <= now + timedelta(seconds=1)
        ]
        connection: Connection = or_ingest_error(
            lambda: getattr(context.resources, api.name).connect(api)
        )
        changed, problems = _probe_all(context, connection, due, cursor, now)
        if problems and len(problems) == len(due):
            raise IngestError("; ".join(problems))
        for problem in problems:
            context.log.error(problem)
        partitions = {item.name: regular_range(item, context.instance, now) for item in changed}
        requests = run_requests(partitions, api.resources)
        reason = "; ".join(problems) or f"{len(due)} probed, none has changed."
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else dg.SkipReason(reason),
            cursor=_CURSOR.dump_json(cursor).decode(),
        )

    return tick


def _interval(resource: Resource) -> timedelta:
    probe_spec = resource.automation.probe
    return timedelta(seconds=probe_spec.interval if probe_spec else 0)


def _probe_all(
    context: dg.SensorEvaluationContext,
    connection: Connection,
    resources: Iterable[Resource],
    cursor: dict[str, _Seen],
    now: datetime,
) -> tuple[list[Resource], list[str]]:
    """The resources that have changed, and the errors of others; updates `cursor`.

    A resource whose probe failed is probed again by the next tick.
    """
    changed: list[Resource] = []
    problems: list[str] = []
    for resource in resources:
        before = cursor.get(resource.name)
        loaded = context.instance.get_latest_materialization_event(asset_key(resource))
        last_load = datetime.fromtimestamp(loaded.timestamp, UTC) if loaded else None
        since = (before.at if before else last_load or now) - _OVERLAP
        window = _window(resource, context.instance, now)
        try:
            answer = or_ingest_error(
                partial(probe, connection, resource, since, window), connection.redactor
            )
        except IngestError as error:
            problems.append(str(error))
            continue
        seen = _Seen(at=now, fingerprint=answer.fingerprint, window=str(window or ""))
        # the load requested before may have failed
        waits = before is not None and before.stale is not None and before.stale == last_load
        if last_load is None or waits or _is_new(resource, before, seen, answer):
            changed.append(resource)
            seen.stale = last_load
        cursor[resource.name] = seen
    return changed, problems


def _is_new(resource: Resource, before: _Seen | None, seen: _Seen, answer: ProbeResult) -> bool:
    if asks_since(resource):
        # the same answer twice is the rows of the overlap
        return answer.rows > 0 and (before is None or before.fingerprint != seen.fingerprint)
    # without an earlier answer for the same window there is nothing to compare with
    return (
        before is not None
        and before.window == seen.window
        and before.fingerprint != seen.fingerprint
    )


def _window(resource: Resource, instance: dg.DagsterInstance, now: datetime) -> Window | None:
    """The window of the partitions that a run would load now."""
    definition = partitions_definition(resource.partitions)
    if definition is None or resource.partitions is None:
        return None
    keys = regular_range(resource, instance, now)
    if not keys:
        return None
    first, last = (definition.time_window_for_partition_key(key) for key in (keys[0], keys[-1]))
    return Window(first.start, last.end, resource.partitions.timezone)
