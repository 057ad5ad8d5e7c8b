"""What Dagster shows before anything has run: keys, groups, kinds, lineage, partitions, checks."""

from __future__ import annotations

import dagster as dg
import pytest

from timetracking_assets.hours.tables import SCHEMA, TABLES

pytestmark = pytest.mark.duckdb_only(
    reason="what Dagster shows does not depend on the warehouse but for its kind"
)

KEYS = [
    "project_management/absences",
    "project_management/customers",
    "project_management/entries",
    "project_management/projects",
    "resource_management/accounts",
    "resource_management/clients",
    "resource_management/departments",
    "resource_management/holidays",
    "resource_management/logged_time",
    "resource_management/milestones",
    "resource_management/people",
    "resource_management/phases",
    "resource_management/project_tasks",
    "resource_management/projects",
    "resource_management/public_holidays",
    "resource_management/roles",
    "resource_management/status",
    "resource_management/tasks",
    "resource_management/time_off",
    "resource_management/timeoff_types",
    "time_analytics/clients",
    "time_analytics/projects",
    "time_analytics/tags",
    "time_analytics/tasks",
    "time_analytics/time_entries",
    "time_analytics/user_groups",
    "time_analytics/users",
    "time_tracking/time_tracking_data",
    "workspace_time/organizations",
    "workspace_time/organizations_groups",
    "workspace_time/organizations_users",
    "workspace_time/time_entries",
    "workspace_time/workspace",
    "workspace_time/workspace_clients",
    "workspace_time/workspace_projects",
    "workspace_time/workspace_tasks",
]

PARENTS = {
    "workspace_time/organizations_groups": "workspace_time/organizations",
    "workspace_time/organizations_users": "workspace_time/organizations",
    "time_analytics/time_entries": "time_analytics/users",
    "time_analytics/tasks": "time_analytics/projects",
}

NEWEST = "newest_partition_loaded"

PARTITIONED = {
    "project_management/absences",
    "project_management/entries",
    "resource_management/logged_time",
    "time_analytics/time_entries",
    "workspace_time/time_entries",
}


def _raw_assets(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    """Those that are tables of an API."""
    specs = definitions.resolve_all_asset_specs()
    return [spec for spec in specs if spec.key.to_user_string() in KEYS]


def test_keys(definitions: dg.Definitions) -> None:
    """The assets are these and no others: nothing invented stands upstream of them."""
    keys = definitions.resolve_asset_graph().get_all_asset_keys()
    assert sorted(key.to_user_string() for key in keys) == sorted(
        [*KEYS, *(f"hours/{table}" for table in TABLES), "health_report"]
    )


def test_lineage(definitions: dg.Definitions) -> None:
    found = {
        spec.key.to_user_string(): [dep.asset_key.to_user_string() for dep in spec.deps]
        for spec in _raw_assets(definitions)
    }
    assert {key: deps for key, deps in found.items() if deps} == {
        child: [parent] for child, parent in PARENTS.items()
    }


def test_what_each_asset_says_of_itself(definitions: dg.Definitions) -> None:
    for spec in _raw_assets(definitions):
        key = spec.key.to_user_string()
        assert spec.group_name == spec.key.path[0]
        assert spec.kinds == {"dlt", "duckdb"}, key
        assert spec.description, key
        assert spec.metadata["dagster/table_name"] == ".".join(spec.key.path)
        columns = {column.name: column for column in spec.metadata["dagster/column_schema"].columns}
        assert columns, key
        assert all(column.description for column in columns.values()), key
        for name in str(spec.metadata["primary_key"]).split(", "):
            assert not columns[name].constraints.nullable, key


def test_partitions(definitions: dg.Definitions) -> None:
    found = {
        spec.key.to_user_string(): spec.partitions_def
        for spec in definitions.resolve_all_asset_specs()
        if spec.partitions_def is not None
    }
    assert found.keys() == PARTITIONED
    graph = definitions.resolve_asset_graph()
    for key in found:
        policy = graph.get(dg.AssetKey.from_user_string(key)).backfill_policy
        assert policy == dg.BackfillPolicy.single_run()


def test_checks(definitions: dg.Definitions) -> None:
    """Those that each asset has, the newest partition where there are partitions, and more where
    YAML declares what to judge; only what makes a table unfit for what is downstream blocks."""
    specs = {
        spec.key: spec
        for asset in definitions.resolve_asset_graph().assets_defs
        for spec in asset.check_specs
        if spec.asset_key.path[0] != SCHEMA
    }
    names: dict[str, set[str]] = {}
    for key in specs:
        names.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
    assert sorted(names) == KEYS
    blocking = {"primary_key_unique", "rows_reconciled"}
    everywhere = blocking | {
        "primary_key_not_null",
        "no_duplicate_rows_in_answer",
        "schema_unchanged",
    }
    assert all(found >= everywhere for found in names.values())
    assert {asset for asset, found in names.items() if NEWEST in found} == PARTITIONED
    assert names["resource_management/roles"] == everywhere
    assert names["resource_management/logged_time"] == everywhere | {
        NEWEST,
        "volume_as_usual",
        "important_columns_filled",
        "references_resolve",
        "durations_plausible",
    }
    assert {key.name for key, spec in specs.items() if spec.blocking} == blocking
    assert all(spec.blocking for key, spec in specs.items() if key.name in blocking)


def test_each_table_has_owners_and_links_to_its_place_on_the_dashboard(
    definitions: dg.Definitions,
) -> None:
    for spec in definitions.resolve_all_asset_specs():
        if spec.group_name == "health":
            continue
        assert list(spec.owners) == ["team:data"], spec.key
        anchor = "-".join(["asset", *spec.key.path])
        assert spec.metadata["health"] == dg.MetadataValue.url(f"http://127.0.0.1:8766/#{anchor}")
