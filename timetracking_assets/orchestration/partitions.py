"""Partitions of assets, the window that they stand for, and those that a load takes by default.

A range is one run, one window and one series of requests; when one is loaded is decided in
`automation/` and by the demo. What a window means to an API is in `ingest/windows.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import dagster as dg

from timetracking_assets.ingest.windows import Window
from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.window import PartitionsSpec

# Dagster's tags for the partition of a run, or for its range of partitions; it names them nowhere
# in its public interface
PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


def regular_range(resource: Resource, instance: dg.DagsterInstance, now: datetime) -> list[str]:
    """The partitions that a regular load of `resource` takes at `now`; none for a snapshot."""
    definition = partitions_definition(resource.partitions)
    if definition is None:
        return []
    known = known_partitions(definition, now)
    loaded = loaded_partitions(instance, asset_key(resource), definition, known)
    return longest(
        trailing_range(definition, known, resource.automation.lookback, now),
        since_last_load(known, loaded),
    )


@cache
def partitions_definition(spec: PartitionsSpec | None) -> dg.TimeWindowPartitionsDefinition | None:
    """Days up to the last complete one, or years up to the current one, in the file's time zone."""
    if spec is None:
        return None
    start = spec.first_day
    if spec.type == "daily":
        return dg.DailyPartitionsDefinition(
            start_date=start.isoformat(), timezone=spec.timezone, end_offset=int(spec.current)
        )
    return dg.TimeWindowPartitionsDefinition(
        cron_schedule="0 0 1 1 *",
        fmt="%Y",
        start=str(start.year),
        timezone=spec.timezone,
        end_offset=1,
    )


def run_window(context: dg.AssetExecutionContext, resource: Resource) -> Window | None:
    """The window of the run's partition or range of partitions; None for an asset without any.

    Raises Failure for a run that names no partition.
    """
    if resource.partitions is None:
        return None
    if not (context.has_partition_key or context.has_partition_key_range):
        raise dg.Failure(
            f"{resource.label} is partitioned: name a partition, or a range of them, to load",
            allow_retries=False,
        )
    interval = context.partition_time_window
    return Window(interval.start, interval.end, resource.partitions.timezone)


def tagged_window(tags: Mapping[str, str], resource: Resource) -> Window | None:
    """The window that a run with these tags loads of `resource`; None if they name no partition.

    For steps that have no partitions of their own, such as checks of several assets.
    """
    definition = partitions_definition(resource.partitions)
    if definition is None or resource.partitions is None:
        return None
    key = tags.get(PARTITION_TAG)
    first, last = tags.get(RANGE_START_TAG, key), tags.get(RANGE_END_TAG, key)
    if first is None or last is None:
        return None
    if not (definition.has_partition_key(first) and definition.has_partition_key(last)):
        # the partitions of another asset of the run
        return None
    start = definition.time_window_for_partition_key(first).start
    end = definition.time_window_for_partition_key(last).end
    return Window(start, end, resource.partitions.timezone)


def range_tags(partitions: Sequence[str]) -> dict[str, str]:
    """The tags that make a run load all of `partitions` (neighbours, in order) as one range."""
    return {RANGE_START_TAG: partitions[0], RANGE_END_TAG: partitions[-1]} if partitions else {}


@lru_cache(maxsize=64)
def known_partitions(definition: dg.PartitionsDefinition, now: datetime) -> tuple[str, ...]:
    """All partition keys that exist at `now`, oldest first; cached, because Dagster walks a cron
    for them."""
    return tuple(definition.get_partition_keys(current_time=now))


def loaded_partitions(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    definition: dg.TimeWindowPartitionsDefinition,
    partitions: Sequence[str],
) -> set[str]:
    """Those of `partitions` that are known to be complete: their last load succeeded.

    Where the running day or year is a partition, the newest loaded one may have been loaded before
    it ended, and doesn't count.
    """
    statuses = instance.get_status_by_partition(key, partitions, definition) or {}
    done = dg.AssetPartitionStatus.MATERIALIZED
    loaded = {partition for partition, status in statuses.items() if status == done}
    return loaded - {max(loaded)} if loaded and definition.end_offset else loaded


def trailing_range(
    definition: dg.TimeWindowPartitionsDefinition,
    partitions: Sequence[str],
    lookback: int,
    now: datetime,
) -> list[str]:
    """The newest partition and those that a regular load takes with it.

    Days: the `lookback` before the last complete one. Years: the one before while it is January in
    their zone.
    """
    if not isinstance(definition, dg.DailyPartitionsDefinition):
        lookback = 0 if now.astimezone(ZoneInfo(definition.timezone)).month > 1 else 1
    else:
        lookback += definition.end_offset
    return list(partitions[-1 - lookback :])


def since_last_load(partitions: Sequence[str], loaded: Iterable[str]) -> list[str]:
    """The partitions after the newest loaded one; none if nothing is loaded.

    So a regular load catches up after days without one, and a history that was left out on purpose
    stays out.
    """
    newest = max(loaded, default=None)
    return [] if newest is None else [partition for partition in partitions if partition > newest]


def since_first_gap(partitions: Sequence[str], loaded: set[str]) -> list[str]:
    """The partitions from the oldest that isn't loaded."""
    for index, partition in enumerate(partitions):
        if partition not in loaded:
            return list(partitions[index:])
    return []


def longest(*ranges: list[str]) -> list[str]:
    """The one of several ranges with the same end that starts first."""
    return max(ranges, key=len)


def neighbours(partitions: Sequence[str], chosen: set[str]) -> list[list[str]]:
    """The `chosen` ones of `partitions` as ranges: adjacent ones make one."""
    ranges: list[list[str]] = []
    previous = -2
    for index, partition in enumerate(partitions):
        if partition in chosen:
            if index > previous + 1:
                ranges.append([])
            ranges[-1].append(partition)
            previous = index
    return ranges
