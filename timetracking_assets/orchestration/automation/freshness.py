"""Freshness: whether what is due has been loaded. The one place where it is judged.

Dagster's policies look at the last materialization of an asset, of whichever partition: an old day
that is loaded again would make it fresh. So each partitioned asset has a check beside its policy,
for the newest partition that is due. It is evaluated with each load, on demand, and by a sensor
when its result changes with time alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from croniter import croniter

from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.automation.jobs import sensor_status
from timetracking_assets.orchestration.check_history import latest_checks
from timetracking_assets.orchestration.partitions import known_partitions, partitions_definition
from timetracking_assets.spec.api import Api, Freshness, Resource

CHECK = "newest_partition_loaded"
_INTERVAL = 60
_SKEW = timedelta(minutes=10)
"""How far the clocks of two machines may be apart."""


@dataclass(frozen=True)
class Verdict:
    """Whether a table is fresh. `fresh` is None if the asset was never loaded, or has no policy."""

    fresh: bool | None
    since: datetime | None = None
    """Since when a load has been overdue."""
    partition: str | None = None
    """The newest partition that is due."""
    loaded: datetime | None = None
    """When that partition (or an asset without any) was last loaded."""
    late: bool = False
    """Still fresh, but past the age at which the policy warns."""


def judge_resource(resource: Resource, instance: dg.DagsterInstance, now: datetime) -> Verdict:
    """Whether the table of `resource` is fresh at `now`."""
    key, definition = asset_key(resource), partitions_definition(resource.partitions)
    event = instance.get_latest_materialization_event(key)
    last_load = datetime.fromtimestamp(event.timestamp, UTC) if event else None
    return judge(key, resource.automation.freshness, definition, instance, last_load, now)


def judge(
    key: dg.AssetKey,
    freshness: Freshness | None,
    definition: dg.TimeWindowPartitionsDefinition | None,
    instance: dg.DagsterInstance,
    last_load: datetime | None,
    now: datetime,
) -> Verdict:
    """Whether what is due at `now` has been loaded in time; `last_load` is of any partition.

    A load that a clock which was ahead has put into the future proves nothing.
    """
    if freshness is None or last_load is None:
        return Verdict(None)

    def loaded_at(partition: str | None) -> datetime | None:
        at: datetime | None = last_load
        if partition is not None:
            filtered = dg.AssetRecordsFilter(key, asset_partitions=[partition])
            records = instance.fetch_materializations(filtered, limit=1).records
            at = datetime.fromtimestamp(records[0].timestamp, UTC) if records else None
        return None if at is None or at > now + _SKEW else at

    due, allowed_since = _limits(freshness, now)
    verdict = _judge(definition, loaded_at, due, allowed_since)
    if verdict.fresh:
        if freshness.warn_after is None:
            return verdict
        limit = now - freshness.warn_after
        return replace(verdict, late=not _judge(definition, loaded_at, limit, limit).fresh)
    since = due
    if freshness.fail_after is not None:
        since = (verdict.loaded or verdict.since or due) + freshness.fail_after
    return replace(verdict, since=min(since, now))


def _judge(
    definition: dg.TimeWindowPartitionsDefinition | None,
    loaded_at: Callable[[str | None], datetime | None],
    due: datetime,
    allowed_since: datetime,
) -> Verdict:
    """Whether the newest partition due at `due` (or an asset without any) was loaded since."""
    partition = None
    if definition is not None:
        partition, end = _newest_due(definition, due)
        if partition is None:
            return Verdict(True)
        allowed_since = end or allowed_since
    loaded = loaded_at(partition)
    fresh = loaded is not None and loaded >= allowed_since
    return Verdict(fresh, None if fresh else allowed_since, partition, loaded)


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
    definition: dg.TimeWindowPartitionsDefinition, due: datetime
) -> tuple[str | None, datetime | None]:
    """The newest partition due, and its end if it must have been loaded after that.

    The newest complete day; of years the running one, which is never complete.
    """
    known = known_partitions(definition, due)
    if not isinstance(definition, dg.DailyPartitionsDefinition):
        return (known[-1] if known else None), None
    for key in reversed(known):
        end = definition.time_window_for_partition_key(key).end
        if end <= due:
            return key, end
    return None, None


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
                description="The newest partition that is due was loaded after it had ended.",
            )
            for item in checked
        ],
        can_subset=True,
    )
    def newest_partitions(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        selected = {key.asset_key for key in context.selected_asset_check_keys}
        for item in checked:
            if asset_key(item) in selected:
                verdict = judge_resource(item, context.instance, datetime.now(UTC))
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
            asset_events=list(_changed_results(checked, context.instance, datetime.now(UTC))),
            skip_reason=dg.SkipReason("It only reports results; it starts no runs."),
        )

    return dg.Definitions(asset_checks=[newest_partitions], sensors=[overdue])


def _changed_results(
    resources: list[Resource], instance: dg.DagsterInstance, now: datetime
) -> Iterator[dg.AssetCheckEvaluation]:
    """New results of the checks whose last result no longer holds."""
    keys = {dg.AssetCheckKey(asset_key(item), CHECK): item for item in resources}
    records = latest_checks(instance, keys)
    for key, item in keys.items():
        verdict = judge_resource(item, instance, now)
        if verdict.fresh is None:
            continue
        result = records[key].result if key in records else None
        if result is not None and result.passed == verdict.fresh:
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
