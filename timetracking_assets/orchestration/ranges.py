"""Which partitions a load takes when nobody names them: the newest, and those before it.

A range is one run, one window and one series of requests. When that is asked for belongs to
`schedules.py`, `sensors.py` and the demo.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg

_START, _END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
_LOOKBACK = "lookback_days"


def range_tags(partitions: Sequence[str]) -> dict[str, str]:
    """The tags that make a run load all of `partitions` (neighbours, in order) as one range."""
    return {_START: partitions[0], _END: partitions[-1]} if partitions else {}


def lookback_metadata(days: int) -> dict[str, int]:
    """What an asset says of its lookback; `lookback_of` reads it."""
    return {_LOOKBACK: days} if days else {}


def lookback_of(spec: dg.AssetSpec) -> int:
    """Days before its newest partition that the asset of `spec` loads again with it."""
    return int(spec.metadata.get(_LOOKBACK, 0))


def known_partitions(definition: dg.PartitionsDefinition, now: datetime) -> list[str]:
    """All partition keys that there are at `now`, in order."""
    return list(definition.get_partition_keys(current_time=now))


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
    found = instance.get_status_by_partition(key, partitions, definition) or {}
    done = dg.AssetPartitionStatus.MATERIALIZED
    loaded = {partition for partition, status in found.items() if status == done}
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
    """The one of several ranges with the same end that begins first."""
    return max(ranges, key=len)


def neighbours(partitions: Sequence[str], chosen: set[str]) -> list[list[str]]:
    """The `chosen` ones of `partitions` as ranges: those that stand side by side make one."""
    ranges: list[list[str]] = []
    previous = -2
    for index, partition in enumerate(partitions):
        if partition in chosen:
            if index > previous + 1:
                ranges.append([])
            ranges[-1].append(partition)
            previous = index
    return ranges
