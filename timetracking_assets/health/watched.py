"""The assets that the health report watches, as their definitions describe them.

Only reading definitions belongs here; nothing of what has happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from timetracking_assets.orchestration.asset_specs import freshness_of
from timetracking_assets.spec.api import Freshness

REPORT_KEY = dg.AssetKey("health_report")
"""The report does not watch itself."""


@dataclass(frozen=True)
class WatchedAsset:
    """An asset as its definition describes it."""

    key: dg.AssetKey
    group: str
    description: str | None
    partitions: dg.TimeWindowPartitionsDefinition | None
    freshness: Freshness | None
    checks: tuple[dg.AssetCheckSpec, ...]
    metadata: Mapping[str, Any]
    owners: tuple[str, ...] = ()
    downstream: tuple[str, ...] = ()


def watched_assets(definitions: dg.Definitions) -> list[WatchedAsset]:
    """The assets of a code location that are loaded by it, ordered by group and name."""
    checks: dict[dg.AssetKey, list[dg.AssetCheckSpec]] = {}
    graph = definitions.resolve_asset_graph()
    for definition in graph.assets_defs:
        for check in definition.check_specs:
            checks.setdefault(check.asset_key, []).append(check)
    watched = []
    specs = list(definitions.resolve_all_asset_specs())
    children: dict[dg.AssetKey, set[dg.AssetKey]] = {}
    for spec in specs:
        for dep in spec.deps:
            children.setdefault(dep.asset_key, set()).add(spec.key)
    for spec in specs:
        if spec.key == REPORT_KEY:
            continue
        partitions = spec.partitions_def
        # plain values: Dagster wraps them when definitions are merged
        metadata = {
            name: value.value if isinstance(value, dg.MetadataValue) else value
            for name, value in spec.metadata.items()
        }
        watched.append(
            WatchedAsset(
                key=spec.key,
                group=spec.group_name or "default",
                description=spec.description,
                partitions=(
                    partitions
                    if isinstance(partitions, dg.TimeWindowPartitionsDefinition)
                    else None
                ),
                checks=tuple(sorted(checks.get(spec.key, []), key=lambda check: check.name)),
                freshness=freshness_of(metadata),
                metadata=metadata,
                owners=tuple(spec.owners),
                downstream=tuple(sorted(_downstream(spec.key, children))),
            )
        )
    return sorted(watched, key=lambda asset: (asset.group, asset.key.path))


def _downstream(key: dg.AssetKey, children: Mapping[dg.AssetKey, set[dg.AssetKey]]) -> set[str]:
    """The names of all assets that depend on `key`, directly or not."""
    reached: set[dg.AssetKey] = set()
    waiting = [key]
    while waiting:
        for child in children.get(waiting.pop(), set()) - reached:
            reached.add(child)
            waiting.append(child)
    return {child.to_user_string() for child in reached}
