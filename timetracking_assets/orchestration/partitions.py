"""Partitions of assets, and the window that a run's partitions stand for.

Only the way from partition to window belongs here; what a window means to an API is in
`ingest/windows.py`.
"""

from __future__ import annotations

from functools import cache

import dagster as dg

from timetracking_assets.ingest.api import Resource
from timetracking_assets.ingest.rules import start_of
from timetracking_assets.ingest.spec import PartitionsSpec
from timetracking_assets.ingest.windows import Window


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
