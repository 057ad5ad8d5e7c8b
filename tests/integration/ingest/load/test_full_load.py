"""All assets, loaded by the demo: each table is what its API holds, and each run says what it did.

The demo runs once; its sandbox holds the same data as the tests' own, so that one tells the truth
about the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from timetracking_assets.sandbox.catalog import KEYS

if TYPE_CHECKING:
    from tests.support.demo import Demo
    from timetracking_assets.sandbox import SandboxServer

pytestmark = pytest.mark.timeout(600)

RESOURCES = [(api, name) for api, resources in KEYS.items() for name in resources]

# partitions begin late in the tests: field that places a row
WINDOWS = {
    ("project_management", "entries"): lambda row: row["time_last_change"],
    ("workspace_time", "time_entries"): lambda row: row["start"],
    ("resource_management", "logged_time"): lambda row: row["modified"],
    ("time_analytics", "time_entries"): lambda row: row["timeInterval"]["start"],
}

METADATA = {
    "dagster/row_count",
    "dagster/table_name",
    "rows_extracted",
    "rows_inserted",
    "rows_updated",
    "rows_unchanged",
    "rows_deleted",
    "distinct_keys",
    "requests",
    "retries",
    "bytes",
    "load_id",
}
STATE_THEIR_LENGTH = ("time_tracking", "project_management")
"""Elsewhere, a first page that is short is confirmed by another: the API may cap its pages."""

METADATA_OF_PARTITIONS = {"window", "dagster/partition_row_count"}


@pytest.fixture
def its_sandbox(demo: Demo, sandbox: SandboxServer, today: date) -> Iterator[SandboxServer]:
    """The sandbox on the demo's day: midnight may have passed since the tests began."""
    if demo.day != today:
        sandbox.control.set_today(demo.day)
    yield sandbox
    if demo.day != today:
        sandbox.control.set_today(today)


@pytest.mark.parametrize(("api", "resource"), RESOURCES, ids=["/".join(pair) for pair in RESOURCES])
def test_table_is_what_the_api_holds(
    demo: Demo, its_sandbox: SandboxServer, first_day: date, api: str, resource: str
) -> None:
    rows = its_sandbox.control.rows(api, resource)
    if (api, resource) in WINDOWS:
        placed = WINDOWS[api, resource]
        rows = [row for row in rows if _instant(placed(row)).date() >= first_day]
    if (api, resource) == ("project_management", "absences"):
        # years begin with the first day's
        rows = [row for row in rows if row["date_since"] >= f"{first_day.year}-01-01"]
    key, column = KEYS[api][resource], _column(KEYS[api][resource])
    if resource == "workspace":
        column = "_configured_workspace_id"
    names = demo.columns(f"{api}.{resource}")
    table = demo.sql(f"SELECT * FROM {api}.{resource}")
    stored = [dict(zip(names, row, strict=True)) for row in table]

    assert sorted(row[column] for row in stored) == sorted(row[key] for row in rows)
    by_key = {row[column]: row for row in stored}
    for row in rows:
        expected = _flattened({**row, column: row[key]} if column != _column(key) else row)
        if column != _column(key):
            del expected[_column(key)]
        found = by_key[row[key]]
        for name, value in expected.items():
            # a field that is null in every row has no column unless it is declared
            assert _same(found.get(name), value), (name, value, found.get(name))


def _column(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _flattened(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        column = prefix + _column(name)
        if isinstance(value, dict):
            flat |= _flattened(value, f"{column}__")
        else:
            flat[column] = value
    return flat


def _same(stored: Any, served: Any) -> bool:
    if isinstance(served, list):
        return json.loads(stored) == served
    if isinstance(stored, datetime) and isinstance(served, str):
        return stored == _instant(served)
    if isinstance(stored, date) and isinstance(served, str):
        return stored == date.fromisoformat(served)
    return bool(stored == served)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def test_there_are_many_parents(sandbox: SandboxServer) -> None:
    """Else the tables of the fan-outs would prove nothing."""
    rows = sandbox.control.rows
    parents = {
        "organization_id": rows("workspace_time", "organizations_users"),
        "workspace_id": rows("workspace_time", "workspace_tasks"),
        "userId": rows("time_analytics", "time_entries"),
        "projectId": rows("time_analytics", "tasks"),
    }
    assert all(len({row[field] for row in held}) > 1 for field, held in parents.items())


@pytest.mark.parametrize(("api", "resource"), RESOURCES, ids=["/".join(pair) for pair in RESOURCES])
def test_materialization_and_checks(demo: Demo, api: str, resource: str) -> None:
    key = dg.AssetKey([api, resource])
    with demo.instance() as instance:
        event = instance.get_latest_materialization_event(key)
        assert event is not None
        materialization = event.asset_materialization
        assert materialization is not None
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(key, name) for name in ("primary_key_unique", "primary_key_not_null")]
        )
    metadata = {name: value.value for name, value in materialization.metadata.items()}

    [(count,)] = demo.sql(f"SELECT count(*) FROM {api}.{resource}")
    columns = demo.columns(f"{api}.{resource}")
    partitioned = materialization.partition is not None
    assert metadata.keys() >= METADATA | (METADATA_OF_PARTITIONS if partitioned else set())
    assert any(name.startswith("seconds_") for name in metadata)
    assert metadata["dagster/row_count"] == count
    assert metadata["dagster/table_name"] == f"{api}.{resource}"
    if not partitioned:
        # for a range of partitions the asset's own schema must do: it would be stored for each
        assert [column.name for column in metadata["dagster/column_schema"].columns] == columns
    assert metadata["requests"] >= 1
    assert metadata["retries"] == 0
    if api in STATE_THEIR_LENGTH:
        assert "requests_in_vain" not in metadata
    assert metadata["bytes"] > 0
    assert metadata["load_id"]
    if not partitioned:
        assert metadata["rows_inserted"] == metadata["rows_extracted"] == count

    assert len(checks) == 2
    for record in checks.values():
        assert record.status.value == "SUCCEEDED"
        evaluation = record.event.dagster_event.asset_check_evaluation_data
        assert evaluation.metadata["rows"].value == count


def test_partitions_are_marked(demo: Demo, first_day: date) -> None:
    """A range that ran as one run marks each of its partitions."""
    key = dg.AssetKey(["workspace_time", "time_entries"])
    days = {str(first_day + timedelta(days=n)) for n in range((demo.day - first_day).days)}
    with demo.instance() as instance:
        assert instance.get_materialized_partitions(key) == days
        years = instance.get_materialized_partitions(
            dg.AssetKey(["project_management", "absences"])
        )
    assert years == {str(year) for year in range(first_day.year, demo.day.year + 1)}
