"""What the model does with rows that tidy data lacks: loads, counts and names them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours_sandbox import loaded_sandbox
from timetracking_assets.hours.checks.declared import checks_of

NAMED = {
    ("people_in_sources", "people_matched"): 2,
    ("people_in_sources", "values_known"): 1,
    ("time_entries", "no_overlaps"): 1,
    ("time_entries", "durations_plausible"): 1,
    ("time_entries", "durations_match_spans"): 1,
    ("time_entries", "no_running_timers"): 2,
    ("time_entries", "no_entries_over_midnight"): 2,
    # `pending` and `parental`
    ("absences", "values_known"): 2,
}


@pytest.mark.timeout(300)
def test_odd_rows_are_counted_and_named(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    with loaded_sandbox(new_warehouse(tmp_path), odd_rows=True) as loaded:
        world = loaded.world()
        checks = [(check.table, check.name) for check in checks_of(world.model)]
        report = world.build(checks=checks)
        found = {key: finding.count for key, finding in report.findings.items() if finding.count}
        del found["time_entries", "no_work_twice"]
        assert found == NAMED
        assert report.kept_back == {}
        [[odd, seconds]] = world.rows(
            "SELECT count(*), sum(seconds) FROM hours.time_entries WHERE source_id LIKE '9900000%'"
        )
        # overlapping, negative, over midnight with a break, running, and without a project
        assert (odd, seconds) == (6, 3600 + 1800 - 900 + 5 * 3600 + 1800)
        assert world.rows(
            "SELECT seconds, project_key FROM hours.time_entries WHERE source_id = '990000002' "
            "AND source = 'workspace_time'"
        ) == [(1800, None)]
        # clocks went back in that night: six hours went by
        night = "started_at = '2026-10-24 21:00:00+00'"
        assert world.rows(f"SELECT seconds FROM hours.time_entries WHERE {night}") == [(21_600,)]
        half = "absence_key = 'project_management:990000001'"
        assert world.rows(f"SELECT days, status FROM hours.absences WHERE {half}")[0][1] == (
            "approved"
        )
