"""What the definitions say of the assets that the health report watches.

Only reading definitions belongs here; nothing of what has happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import dagster as dg

REPORT_KEY = dg.AssetKey("health_report")
"""The report does not watch itself."""


@dataclass(frozen=True)
class WatchedAsset:
    """An asset as its definition describes it."""

    key: dg.AssetKey
    group: str
    description: str | None
    partitions: dg.TimeWindowPartitionsDefinition | None
    policy: dg.FreshnessPolicy | None
    checks: tuple[dg.AssetCheckSpec, ...]
    metadata: Mapping[str, Any]


def watched_assets(definitions: dg.Definitions) -> list[WatchedAsset]:
    """The assets of a code location that are loaded by it, ordered by group and name."""
    checks: dict[dg.AssetKey, list[dg.AssetCheckSpec]] = {}
    graph = definitions.resolve_asset_graph()
    for definition in graph.assets_defs:
        for check in definition.check_specs:
            checks.setdefault(check.asset_key, []).append(check)
    found = []
    for spec in definitions.resolve_all_asset_specs():
        if spec.key == REPORT_KEY:
            continue
        partitions = spec.partitions_def
        found.append(
            WatchedAsset(
                key=spec.key,
                group=spec.group_name or "default",
                description=spec.description,
                partitions=(
                    partitions
                    if isinstance(partitions, dg.TimeWindowPartitionsDefinition)
                    else None
                ),
                policy=spec.freshness_policy,
                checks=tuple(sorted(checks.get(spec.key, []), key=lambda check: check.name)),
                # plain values: Dagster wraps them when definitions are merged
                metadata={
                    name: value.value if isinstance(value, dg.MetadataValue) else value
                    for name, value in spec.metadata.items()
                },
            )
        )
    return sorted(found, key=lambda asset: (asset.group, asset.key.path))


@lru_cache(maxsize=64)
def partition_keys(partitions: dg.TimeWindowPartitionsDefinition, now: datetime) -> tuple[str, ...]:
    """All partitions up to `now`, oldest first; kept, because Dagster walks a cron for them."""
    return tuple(partitions.get_partition_keys(now))
