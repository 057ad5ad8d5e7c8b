"""A snapshot of all asset specs: a change of keys, groups, partitions or checks shows in review.

`UPDATE_SNAPSHOTS=1` writes it again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

pytestmark = pytest.mark.duckdb_only(
    reason="what Dagster shows does not depend on the warehouse but for its kind"
)

SNAPSHOT = Path(__file__).parent / "asset_specs.json"


def reported(definitions: dg.Definitions) -> dict[str, Any]:
    graph = definitions.resolve_asset_graph()
    specs = {}
    for spec in definitions.resolve_all_asset_specs():
        partitions = spec.partitions_def
        schema = spec.metadata.get("dagster/column_schema")
        node = graph.get(spec.key)
        specs[spec.key.to_user_string()] = {
            "group": spec.group_name,
            "kinds": sorted(spec.kinds),
            "owners": list(spec.owners),
            "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            # the first partition is the tests' own
            "partitions": type(partitions).__name__ if partitions else None,
            "primary_key": spec.metadata.get("primary_key"),
            "sync_mode": spec.metadata.get("sync_mode"),
            "columns": {column.name: column.type for column in schema.columns} if schema else {},
            "checks": sorted(key.name for key in node.check_keys),
            "automation": repr(spec.automation_condition) if spec.automation_condition else None,
        }
    return dict(sorted(specs.items()))


def test_asset_specs_are_those_of_the_snapshot(definitions: dg.Definitions) -> None:
    found = reported(definitions)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(SNAPSHOT.read_text()), "if it is meant: UPDATE_SNAPSHOTS=1"
