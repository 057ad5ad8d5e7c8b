"""Freshness of partitioned assets: whether the newest partition that is due is there.

Dagster's policies look at the last materialization of an asset, whichever partition it was of: an
old day that is loaded again would make it fresh. So each partitioned asset has a check beside its
policy, which asks for the newest partition that is due. It is evaluated with each load, on demand,
and by a sensor when time alone changes the answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from croniter import croniter

from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.automation.jobs import sensor_status
from timetracking_assets.orchestration.partitions import known_partitions, partitions_definition
from timetracking_assets.spec.api import Api, Freshness, Resource

CHECK = "newest_partition_loaded"
_INTERVAL = 60


@dataclass(frozen=True)
class Verdict:
    """Whether a table is fresh. `fresh` is None if the asset was never loaded, or has no policy."""

    fresh: bool | None
    since: datetime | None = None
    """Since when a load has been overdue."""
    partition: str | None = None
    """The newest partition that is due."""
    loaded: datetime | None = None
    """When that partition (or a resource without any) was last loaded."""


def judge(resource: Resource, instance: dg.DagsterInstance, now: datetime) -> Verdict:
    """Whether what is due at `now` has been loaded in time."""
    freshness = resource.automation.freshness
    last = instance.get_latest_materialization_event(asset_key(resource))
    if freshness is None or last is None:
        return Verdict(None)
    due, allowed_since = _limits(freshness, now)
    definition = partitions_definition(resource.partitions)
    loaded: datetime | None = datetime.fromtimestamp(last.timestamp, UTC)
    partition = None
    if definition is not None:
        partition, begins = _newest_due(resource, definition, due)
        if partition is None:
            return Verdict(True)
        allowed_since = begins or allowed_since
        loaded = _loaded_at(instance, resource, partition)
    if loaded is not None and loaded >= allowed_since:
        return Verdict(True, None, partition, loaded)
    grace = freshness.fail_after
    since = due if grace is None else (loaded or allowed_since) + grace
    return Verdict(False, min(since, now), partition, loaded)


def _limits(freshness: Freshness, now: datetime) -> tuple[datetime, datetime]:
    """The instant for which data is due, and since when a load counts."""
    if freshness.deadlines is None:
        limit = now - (freshness.fail_after or timedelta())
        return limit, limit
    zone = ZoneInfo(freshness.deadlines.timezone)
    # added in UTC: local times forget in which of two equal hours they are
    just_after = (now + timedelta(seconds=1)).astimezone(zone)
    ticks = croniter(freshness.deadlines.cron, just_after)
    deadline = ticks.get_prev(datetime).astimezone(UTC)
    return deadline, deadline - freshness.within


def _newest_due(
    resource: Resource, definition: dg.TimeWindowPartitionsDefinition, due: datetime
) -> tuple[str | None, datetime | None]:
    """The newest partition due, and its end if it must have been loaded after that.

    The newest complete day; of years the running one, which is never complete.
    """
    known = known_partitions(definition, due)
    if resource.kind == "yearly":
        return (known[-1] if known else None), None
    for key in reversed(known):
        end = definition.time_window_for_partition_key(key).end
        if end <= due:
            return key, end
    return None, None


def _loaded_at(instance: dg.DagsterInstance, resource: Resource, partition: str) -> datetime | None:
    found = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key(resource), asset_partitions=[partition]), limit=1
    )
    return datetime.fromtimestamp(found.records[0].timestamp, UTC) if found.records else None


def freshness_definitions(api: Api) -> dg.Definitions:
    """The check of each partitioned asset of `api` that has a policy, and their sensor."""
    checked = [
        item for item in api.resources.values() if item.partitions and item.automation.freshness
    ]
    if not checked:
        return dg.Definitions()

    @dg.multi_asset_check(
        name=f"{api.name}__freshness",
        specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=asset_key(item),
                description="The newest partition that is due has been loaded, after it ended.",
            )
            for item in checked
        ],
        can_subset=True,
    )
    def newest_partitions(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        selected = {key.asset_key for key in context.selected_asset_check_keys}
        for item in checked:
            if asset_key(item) in selected:
                verdict = judge(item, context.instance, datetime.now(UTC))
                yield dg.AssetCheckResult(
                    passed=bool(verdict.fresh),
                    asset_key=asset_key(item),
                    check_name=CHECK,
                    metadata=_metadata(verdict),
                )

    @dg.sensor(
        name=f"{api.name}_freshness",
        minimum_interval_seconds=_INTERVAL,
        description="Reports when the newest partition of an asset is overdue.",
        default_status=sensor_status(api),
    )
    def overdue(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return dg.SensorResult(
            asset_events=list(_turned(checked, context.instance, datetime.now(UTC))),
            skip_reason=dg.SkipReason("It only reports; it starts no run."),
        )

    return dg.Definitions(asset_checks=[newest_partitions], sensors=[overdue])


def _turned(
    resources: list[Resource], instance: dg.DagsterInstance, now: datetime
) -> Iterator[dg.AssetCheckEvaluation]:
    """New results of those checks whose last one is no longer true."""
    keys = {dg.AssetCheckKey(asset_key(item), CHECK): item for item in resources}
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    for key, item in keys.items():
        verdict = judge(item, instance, now)
        if verdict.fresh is None:
            continue
        record = records.get(key)
        evaluation = record.evaluation if record else None
        if isinstance(evaluation, dg.AssetCheckEvaluation) and evaluation.passed == verdict.fresh:
            continue
        yield dg.AssetCheckEvaluation(
            asset_key=key.asset_key,
            check_name=CHECK,
            passed=verdict.fresh,
            metadata=_metadata(verdict),
        )


def _metadata(verdict: Verdict) -> dict[str, dg.MetadataValue]:
    values: dict[str, dg.MetadataValue] = {}
    if verdict.partition:
        values["newest_due_partition"] = dg.MetadataValue.text(verdict.partition)
    if verdict.loaded:
        values["loaded"] = dg.MetadataValue.timestamp(verdict.loaded)
    if verdict.since:
        values["overdue_since"] = dg.MetadataValue.timestamp(verdict.since)
    return values
