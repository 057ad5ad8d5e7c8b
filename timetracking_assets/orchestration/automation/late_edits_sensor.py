"""The sensor of late edits: loads older partitions whose rows came in another partition's answer.

A load lists in its metadata (`late_days`) the older days whose rows differ from the table's; see
`ingest/load/late_rows.py`. The cursor holds, for each resource, the storage id of the last
materialization that was read, so that each load is handled once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg

from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.automation.jobs import (
    asset_job,
    run_requests,
    sensor_status,
)
from timetracking_assets.orchestration.partitions import (
    known_partitions,
    neighbours,
    partitions_definition,
)
from timetracking_assets.orchestration.runs import is_running
from timetracking_assets.spec.api import Api, Resource

_WHAT = "Loads older partitions whose rows were edited, as the answers for newer ones show."
_INTERVAL = 60
_AT_ONCE = 100


def late_edits_sensor(api: Api) -> dg.SensorDefinition | None:
    """The sensor of `api`; None if none of its resources has windows."""
    windowed = [item for item in api.resources.values() if item.sync_mode == "window"]
    if not windowed:
        return None
    name = f"{api.name}_late_edits"

    @dg.sensor(
        name=name,
        job=asset_job(name, "late_edits", windowed, _WHAT),
        minimum_interval_seconds=_INTERVAL,
        description=_WHAT,
        default_status=sensor_status(api),
    )
    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if is_running(context.instance, name):
            return dg.SkipReason(f"The last run of {name} has not ended yet.")
        # release 0.1.0 had the run beside the storage id
        cursor: dict[str, int] = {
            name: last[0] if isinstance(last, list) else last
            for name, last in json.loads(context.cursor or "{}").items()
        }
        requests: list[dg.RunRequest] = []
        for resource in windowed:
            days, cursor[resource.name] = _late_days(
                context.instance, resource, cursor.get(resource.name)
            )
            for partitions in _ranges(resource, days):
                requests += run_requests({resource.name: partitions}, api.resources)
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else dg.SkipReason("No late edits."),
            cursor=json.dumps(cursor),
        )

    return tick


def _late_days(
    instance: dg.DagsterInstance, resource: Resource, after: int | None
) -> tuple[set[str], int]:
    """The late days of the loads after the storage id `after`, and that of the newest of them.

    Without a cursor only the newest load counts.
    """
    last = after or 0
    events = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key(resource), after_storage_id=last or None),
        limit=1 if after is None else _AT_ONCE,
        ascending=after is not None,
    )
    days: set[str] = set()
    for record in events.records:
        last = record.storage_id
        materialization = record.asset_materialization
        if materialization:
            # of a range, in the event of its newest partition alone
            days |= _days(materialization.metadata)
    return days, last


def _days(metadata: Mapping[str, dg.MetadataValue]) -> set[str]:
    value = metadata.get("late_days")
    return set(map(str, value.data or [])) if isinstance(value, dg.JsonMetadataValue) else set()


def _ranges(resource: Resource, days: set[str]) -> list[list[str]]:
    """The partitions that hold `days`, adjacent ones as one range."""
    definition = partitions_definition(resource.partitions)
    if definition is None or not days:
        return []
    known = known_partitions(definition, datetime.now(UTC))
    chosen = days if resource.kind == "daily" else {day[:4] for day in days}
    return neighbours(known, chosen)
