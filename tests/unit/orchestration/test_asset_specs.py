"""Automation conditions of asset specs: when Dagster would load a resource by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from timetracking_assets.orchestration.asset_specs import automation_condition, reference_lineage
from timetracking_assets.spec.api import Automation, Schedule

KEY = dg.AssetKey(["api", "people"])


class Evaluations:
    """Evaluations of the condition of one asset, one after another."""

    def __init__(self, condition: str, partitions: dg.PartitionsDefinition | None = None) -> None:
        automation = Automation(
            condition=condition,  # type: ignore[arg-type]
            schedule=Schedule("0 9 * * *", "Europe/Berlin"),
        )
        resource: Any = SimpleNamespace(automation=automation)

        @dg.asset(
            key=KEY,
            partitions_def=partitions,
            automation_condition=automation_condition(resource),
        )
        def people() -> None: ...

        self._definitions = dg.Definitions(assets=[people])
        self._cursor: Any = None

    def requests(self, instance: dg.DagsterInstance, at: datetime) -> bool:
        """Whether the asset is requested at `at`."""
        result = dg.evaluate_automation_conditions(
            self._definitions, instance, cursor=self._cursor, evaluation_time=at
        )
        self._cursor = result.cursor
        return result.total_requested > 0


def test_on_missing_requests_each_new_partition() -> None:
    evaluations = Evaluations("on_missing", dg.DailyPartitionsDefinition(start_date="2026-03-01"))
    with dg.DagsterInstance.ephemeral() as instance:
        # a history that was never loaded is left to a backfill
        assert not evaluations.requests(instance, datetime(2026, 3, 10, 12, tzinfo=UTC))
        assert evaluations.requests(instance, datetime(2026, 3, 11, 0, 1, tzinfo=UTC))
        assert not evaluations.requests(instance, datetime(2026, 3, 11, 0, 2, tzinfo=UTC))


def test_on_cron_follows_the_schedule_in_its_zone() -> None:
    evaluations = Evaluations("on_cron")
    with dg.DagsterInstance.ephemeral() as instance:
        # 9:00 in Berlin is 8:00 UTC in winter
        assert not evaluations.requests(instance, datetime(2026, 3, 10, 7, 59, tzinfo=UTC))
        assert evaluations.requests(instance, datetime(2026, 3, 10, 8, 1, tzinfo=UTC))
        assert not evaluations.requests(instance, datetime(2026, 3, 10, 8, 2, tzinfo=UTC))


@pytest.mark.parametrize("schedule", [None, Schedule("0 9 * * *", "UTC")])
def test_without_a_condition_schedules_load_it(schedule: Schedule | None) -> None:
    resource: Any = SimpleNamespace(automation=Automation(schedule=schedule))
    assert automation_condition(resource) is None


def test_references_are_lineage_of_columns() -> None:
    users: Any = SimpleNamespace(api="api", name="users", primary_key=("id",))
    references = {
        "user_id": SimpleNamespace(resource="users", column=None),
        "login": SimpleNamespace(resource="users", column="name"),
    }
    entries: Any = SimpleNamespace(api="api", name="entries", references=references)
    api: Any = SimpleNamespace(resources={"users": users, "entries": entries})
    lineage = reference_lineage(api, entries)
    assert lineage is not None
    assert {
        column: [(dep.asset_key.to_user_string(), dep.column_name) for dep in deps]
        for column, deps in lineage.deps_by_column.items()
    } == {"user_id": [("api/users", "id")], "login": [("api/users", "name")]}
    users.references = {}
    assert reference_lineage(api, users) is None
