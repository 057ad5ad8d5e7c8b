"""Which runs a backfill becomes, by Dagster's own grouping of what its daemon requests."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.automation_tick_evaluation_context import (
    build_run_requests_with_backfill_policies,
)
from dagster._core.definitions.events import AssetKeyPartitionKey

from tests.support.builders import build_api
from tests.support.code_locations import shared_definitions
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.backfills import PARTITIONS_PER_RUN, backfill_policy

DAYS = 100
COLUMNS = {"id": {"data_type": "bigint"}, "at": {"data_type": "timestamp", "nullable": False}}
NAMES = ("first_api", "second_api", "open_api")


def _api(name: str) -> Any:
    window = {"field": "at", "start_param": "from", "end_param": "to"}
    if name == "open_api":
        del window["end_param"]
    entries = {
        "name": "entries",
        "endpoint": {"path": "entries"},
        "columns": COLUMNS,
        "partitions": {"type": "daily", "start": "2026-01-01"},
        "window": window,
        "sync_mode": "changes",
    }
    lists = [{"name": each, "endpoint": {"path": each}} for each in ("people", "teams")]
    return build_api(*lists, entries, name=name)


def _runs() -> list[tuple[set[str], int]]:
    """The assets of each run of a backfill of everything, and how many partitions it takes."""
    definitions = dg.Definitions.merge(
        *(build_api_definitions(_api(name)) for name in NAMES), shared_definitions()
    )
    graph = definitions.resolve_asset_graph()
    partitions: list[AssetKeyPartitionKey] = []
    days: list[str] = []
    for key in graph.materializable_asset_keys:
        definition = graph.get(key).partitions_def
        days = list(definition.get_partition_keys())[:DAYS] if definition else days
        keys = days if definition else [None]
        partitions += [AssetKeyPartitionKey(key, each) for each in keys]
    requests = build_run_requests_with_backfill_policies(partitions, graph, None)  # type: ignore[arg-type]
    runs = []
    for request in requests:
        assets = {key.to_user_string() for key in request.asset_selection or []}
        first = request.tags.get("dagster/asset_partition_range_start")
        last = request.tags.get("dagster/asset_partition_range_end")
        runs.append((assets, days.index(last) - days.index(first) + 1 if first and last else 0))
    return runs


def test_a_backfill_is_one_run_for_all_assets_of_equal_partitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(PARTITIONS_PER_RUN, raising=False)

    runs = _runs()

    assert sorted((len(assets), days) for assets, days in runs) == [(3, DAYS), (6, 0)]
    # `dg launch --partition-range` takes no other policy
    assert backfill_policy(_api("first_api"), partitioned=True) == dg.BackfillPolicy.single_run()


def test_with_a_limit_a_run_is_of_one_api_and_of_at_most_so_many_partitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PARTITIONS_PER_RUN, "40")

    runs = _runs()

    for assets, days in runs:
        [name] = {asset.split("/")[0] for asset in assets}
        assert days <= (DAYS if name == "open_api" else 40)
    for name in NAMES:
        own = [(assets, days) for assets, days in runs if f"{name}/entries" in assets]
        assert sum(days for _, days in own) == DAYS
        # each run would request all since its start
        assert len(own) == (1 if name == "open_api" else 3)
        assert ({f"{name}/people", f"{name}/teams"}, 0) in runs


@pytest.mark.parametrize("most", [1, 2])
def test_the_least_limits_hold(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PARTITIONS_PER_RUN, str(most))

    policies = [backfill_policy(_api(name), partitioned=True) for name in NAMES[:2]]

    assert [policy and policy.max_partitions_per_run for policy in policies] == [most, most]


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_a_size_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PARTITIONS_PER_RUN, text)

    with pytest.raises(dg.DagsterInvalidDefinitionError, match="a whole number above 0"):
        backfill_policy(_api("first_api"), partitioned=True)
