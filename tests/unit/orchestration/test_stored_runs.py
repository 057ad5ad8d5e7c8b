"""What is left of a run in a storage that keeps all runs in one database."""

from collections.abc import Iterator

import dagster as dg
import pytest

from timetracking_assets.orchestration.stored_runs import (
    remove_plans,
    remove_run,
    remove_steps,
    telling_runs,
)

DAYS = dg.DailyPartitionsDefinition("2026-01-01")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dg.multi_asset(
    specs=[dg.AssetSpec("hours", partitions_def=DAYS)],
    check_specs=[dg.AssetCheckSpec("counted", asset="hours")],
    can_subset=True,
)
def load(context: dg.AssetExecutionContext) -> Iterator[object]:
    if context.run.tags.get("fails"):
        raise dg.Failure("no answer")
    yield dg.MaterializeResult(asset_key="hours")
    yield dg.AssetCheckResult(passed=True, check_name="counted", asset_key="hours")


HOURS = dg.AssetKey("hours")
CHECK = dg.AssetCheckKey(HOURS, "counted")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        assert not instance.event_log_storage.is_run_sharded
        yield instance


def _run(instance: dg.DagsterInstance, day: str, **tags: str) -> str:
    result = dg.materialize(
        [load],
        instance=instance,
        partition_key=day,
        tags=tags,
        raise_on_error=False,
        run_config=QUIET,
    )
    return result.run_id


def test_the_runs_that_tell_the_state(instance: dg.DagsterInstance) -> None:
    replaced, day, other_day = (
        _run(instance, day) for day in ("2026-01-01", "2026-01-01", "2026-01-02")
    )
    assert telling_runs(instance, [HOURS], [CHECK]) == {day, other_day}
    # a failed attempt says more than the load before it
    failed = _run(instance, "2026-01-01", fails="yes")
    _run(instance, "2026-01-02")
    assert {day, failed} <= telling_runs(instance, [HOURS], [CHECK])
    assert not {replaced, other_day} & telling_runs(instance, [HOURS], [CHECK])


def test_the_steps_of_a_run_go_and_its_results_stay(instance: dg.DagsterInstance) -> None:
    run_id = _run(instance, "2026-01-01")
    remove_steps(instance, run_id)
    left = {
        str(entry.dagster_event_type and entry.dagster_event_type.value)
        for entry in instance.all_logs(run_id)
    }
    assert {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "PIPELINE_SUCCESS"} <= left
    assert all(name.startswith(("ASSET", "PIPELINE")) for name in left)
    assert instance.get_materialized_partitions(HOURS) == {"2026-01-01"}
    assert instance.get_run_by_id(run_id)


def test_nothing_of_a_removed_run_stays(instance: dg.DagsterInstance) -> None:
    run_id = _run(instance, "2026-01-01")
    assert remove_plans(instance, [HOURS]) == 1
    remove_run(instance, run_id)
    assert instance.get_run_by_id(run_id) is None
    assert not instance.all_logs(run_id)
    assert not instance.get_materialized_partitions(HOURS)


def test_plans_without_a_result_stay(instance: dg.DagsterInstance) -> None:
    _run(instance, "2026-01-01", fails="yes")
    assert remove_plans(instance, [HOURS]) == 0
