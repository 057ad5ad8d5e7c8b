"""Asset checks: alone, over tables that somebody else has broken, and as a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from timetracking_assets.orchestration import assets

if TYPE_CHECKING:
    from tests.conftest import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

ROLES, TABLE = "resource_management/roles", "resource_management.roles"
UNIQUE, NOT_NULL = "primary_key_unique", "primary_key_not_null"


def test_not_green_without_a_table(platform: Platform, control: RemoteControl) -> None:
    outcome = platform.check(ROLES)
    assert outcome.checks[ROLES].keys() == {UNIQUE, NOT_NULL, "schema_unchanged"}
    for check in outcome.checks[ROLES].values():
        assert not check.passed
        assert "no table resource_management.roles" in str(check.description)
    assert outcome.metadata == {}
    assert control.requests() == []


def test_alone_on_a_good_and_on_a_broken_table(platform: Platform, control: RemoteControl) -> None:
    assert platform.materialize(ROLES).green
    keys = platform.keys(TABLE)
    control.clear_requests()

    alone = platform.check(ROLES, names=[UNIQUE])
    assert alone.green
    assert alone.checks[ROLES].keys() == {UNIQUE}
    assert alone.checks[ROLES][UNIQUE].metadata["rows"].value == len(keys)
    assert alone.metadata == {}

    # the first key three times, the second twice, and two rows without one
    for statement in (
        f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE id IN ({keys[0]}, {keys[1]})",
        f"INSERT INTO {TABLE} SELECT DISTINCT * FROM {TABLE} WHERE id = {keys[0]}",
        f"ALTER TABLE {TABLE} ALTER COLUMN id DROP NOT NULL",
        f"UPDATE {TABLE} SET id = NULL WHERE id IN ({keys[3]}, {keys[4]})",
    ):
        platform.sql(statement)
    broken = platform.check(ROLES)
    unique, not_null = broken.checks[ROLES][UNIQUE], broken.checks[ROLES][NOT_NULL]
    assert not unique.passed
    assert unique.metadata["rows"].value == len(keys) + 3
    assert str([str(keys[0])])[1:-1] in str(unique.metadata["sample_keys"].value[0])
    assert not not_null.passed
    assert not_null.metadata["rows_without_key"].value == 2
    assert len(not_null.metadata["sample_rows"].value) == 2
    assert control.requests() == []

    # two rows without a key are not two rows with the same key
    assert unique.metadata["duplicate_keys"].value == 2


def test_load_mends_a_table_that_somebody_has_broken(
    platform: Platform, control: RemoteControl
) -> None:
    assert platform.materialize(ROLES).green
    keys = platform.keys(TABLE)
    platform.sql(f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE id = {keys[0]}")
    assert not platform.check(ROLES).green
    assert platform.materialize(ROLES).green
    assert platform.keys(TABLE) == keys


def test_blocking_check_keeps_downstream_from_running(
    platform: Platform, control: RemoteControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table is broken between its load and its checks: nothing is built on it."""
    parent, child = "workspace_time/organizations", "workspace_time/organizations_users"
    assert platform.materialize(parent, child).green

    def load_and_break(*arguments: Any) -> Any:
        report = run_load(*arguments)
        table = "workspace_time.organizations"
        platform.sql(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")
        return report

    run_load = assets.run_load
    monkeypatch.setattr(assets, "run_load", load_and_break)
    control.clear_requests()
    broken = platform.materialize(parent, child)
    assert not broken.succeeded
    assert parent in broken.metadata
    assert not broken.checks[parent][UNIQUE].passed
    assert broken.checks[parent][UNIQUE].blocking
    assert child not in broken.metadata
    assert not any("/users" in request["path"] for request in control.requests())


def test_failed_parent_keeps_its_children_from_running(
    platform: Platform, control: RemoteControl
) -> None:
    parent, child = "workspace_time/organizations", "workspace_time/organizations_groups"
    control.place_fault("status", status=403, path="/v1/organizations/[0-9]+$")
    outcome = platform.materialize(parent, child)
    assert list(outcome.failures) == [parent]
    assert child not in outcome.metadata
    assert not any("/groups" in request["path"] for request in control.requests())
