"""Runs that a launcher may start anywhere: no step works on a warehouse of one machine."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import DefaultRunLauncher


class AnywhereLauncher(DefaultRunLauncher):
    """A launcher that is not of Dagster's core."""


@pytest.mark.duckdb_only(reason="PostgreSQL is a warehouse of several machines")
@pytest.mark.parametrize(
    "asset", ["time_tracking/time_tracking_data", "hours/time_entries", "health_report"]
)
def test_no_asset_takes_a_file_of_one_machine(
    asset: str, definitions: dg.Definitions, settings: dict[str, str]
) -> None:
    launcher = {"module": __name__, "class": AnywhereLauncher.__name__}
    with dg.instance_for_test(overrides={"run_launcher": launcher}) as instance:
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(asset.split("/"))],
            raise_on_error=False,
        )

    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert "keeps loads apart by a file of one machine" in str(failure.event_specific_data)
    assert not Path(settings["TIMETRACKING_WAREHOUSE"]).exists()
