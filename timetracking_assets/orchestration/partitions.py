"""Partitions of assets, and the window that a run's partitions stand for.

Only the way from partition to window belongs here; what a window means to an API is in
`ingest/windows.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import dagster as dg

from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.window import PartitionsSpec, start_of


@cache
def partitions_definition(spec: PartitionsSpec | None) -> dg.TimeWindowPartitionsDefinition | None:
    """Days up to the last complete one, or years up to the current one, in the file's time zone."""
    if spec is None:
        return None
    start = start_of(spec)
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
    key = tags.get("dagster/partition")
    first = tags.get("dagster/asset_partition_range_start", key)
    last = tags.get("dagster/asset_partition_range_end", key)
    if first is None or last is None:
        return None
    if not (definition.has_partition_key(first) and definition.has_partition_key(last)):
        # the partitions of another asset of the run
        return None
    start = definition.time_window_for_partition_key(first).start
    end = definition.time_window_for_partition_key(last).end
    return Window(start, end, resource.partitions.timezone)
