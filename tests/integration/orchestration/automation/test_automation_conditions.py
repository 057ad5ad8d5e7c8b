"""Declarative automation: what Dagster would load by itself, and what holds it back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from timetracking_assets.ingest.load import run as load
from timetracking_assets.spec.api import Api

if TYPE_CHECKING:
    from tests.support.platform import OfApi

PARENT, CHILD = "workspace_time/organizations", "workspace_time/organizations_users"


def test_eager_child_waits_for_the_blocking_checks_of_its_parent(
    of_api: OfApi, apis: dict[str, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = apis["workspace_time"].resources["organizations_users"]
    automation = replace(child.automation, condition="eager")
    platform = of_api("workspace_time", organizations_users={"automation": automation})
    cursor = None

    def requested() -> set[str]:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(
            platform.definitions, platform.instance, cursor=cursor
        )
        cursor = result.cursor
        asked = {item.key for item in result.results if result.get_num_requested(item.key)}
        return {key.to_user_string() for key in asked}

    assert requested() == set()
    assert platform.materialize(PARENT).green
    assert requested() == {CHILD}
    assert platform.materialize(CHILD).green
    assert requested() == set()

    run_load = load.run_load

    def load_and_break(*arguments: Any) -> Any:
        report = run_load(*arguments)
        table = "workspace_time.organizations"
        platform.sql(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")
        return report

    with monkeypatch.context() as broken:
        broken.setattr(load, "run_load", load_and_break)
        assert not platform.materialize(PARENT).succeeded
    assert requested() == set()

    # the next load replaces the broken table
    assert platform.materialize(PARENT).green
    assert requested() == {CHILD}
