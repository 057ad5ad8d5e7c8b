"""Data-quality checks over real tables: each can fail, and says what is wrong in numbers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

if TYPE_CHECKING:
    from tests.support.platform import Platform

ENTRIES, TABLE = "workspace_time/time_entries", "workspace_time.time_entries"
PROJECTS = "workspace_time/workspace_projects"
ROLES = "resource_management/roles"
VOLUME, NULLS = "volume_as_usual", "important_columns_filled"
REFERENCES, DURATIONS = "references_resolve", "durations_plausible"


@pytest.fixture
def loaded(platform: Platform, first_day: date) -> Platform:
    """One good entry on the first day, of a user and a project that there are; others by SQL."""
    platform.materialize("workspace_time/organizations", "workspace_time/organizations_users")
    platform.materialize(PROJECTS)
    assert platform.materialize(ENTRIES, partition=first_day.isoformat()).succeeded
    [[user]] = platform.sql("SELECT min(user_id) FROM workspace_time.organizations_users")
    [[project]] = platform.sql("SELECT min(id) FROM workspace_time.workspace_projects")
    platform.sql(f"DELETE FROM {TABLE}")
    _insert(platform, 1, first_day, user_id=user, project_id=project)
    return platform


def _insert(
    platform: Platform, number: int, day: date, *, minutes: int = 60, **values: Any
) -> None:
    row: dict[str, Any] = {"id": number, **values}
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    platform.sql(
        f"INSERT INTO {TABLE} ({names}, duration, start, stop) VALUES ({marks}, {minutes * 60}, "
        f"TIMESTAMPTZ '{day} 09:00:00+00', TIMESTAMPTZ '{day} 09:00:00+00' "
        f"+ INTERVAL '{minutes} minutes')",
        list(row.values()),
    )


def _check(platform: Platform, name: str, key: str = ENTRIES) -> dg.AssetCheckEvaluation:
    return platform.check(key, names=[name]).checks[key][name]


def test_wrong_rows_are_counted(loaded: Platform, first_day: date) -> None:
    _all_checks_of_an_api_run_in_one_step(loaded)
    _important_columns_without_a_value(loaded, first_day)
    _references_that_point_nowhere(loaded, first_day)
    _durations_below_nothing_and_beyond_a_day(loaded, first_day)
    _a_load_judges_its_window_alone(loaded, first_day)


def _all_checks_of_an_api_run_in_one_step(loaded: Platform) -> None:
    outcome = loaded.check(
        ENTRIES, PROJECTS, names=[NULLS, REFERENCES, DURATIONS, "schema_unchanged"]
    )
    assert all(check.passed for check in outcome.checks[ENTRIES].values()), outcome.checks
    assert set(outcome.checks[ENTRIES]) == {NULLS, REFERENCES, DURATIONS, "schema_unchanged"}
    steps = loaded.instance.get_run_step_stats(outcome.run_id)
    assert [step.step_key for step in steps] == ["workspace_time__quality_checks"]


def _references_that_point_nowhere(loaded: Platform, first_day: date) -> None:
    assert _check(loaded, REFERENCES).passed
    _insert(loaded, 2, first_day, user_id=99, project_id=None)
    _insert(loaded, 3, first_day, user_id=98, project_id=97)
    result = _check(loaded, REFERENCES)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert result.metadata["dangling_user_id"].value == 2
    assert result.metadata["dangling_project_id"].value == 1
    assert result.metadata["sample_user_id"].value == ["98", "99"]
    assert "user_id: 2 of 3 values do not exist in organizations_users.user_id" in str(
        result.description
    )
    # there are no tasks yet: that is said, and not held against the entries
    assert "task_id: workspace_tasks is not loaded yet" in str(result.description)


def _durations_below_nothing_and_beyond_a_day(loaded: Platform, first_day: date) -> None:
    assert _check(loaded, DURATIONS).passed
    _insert(loaded, 4, first_day, minutes=-30)
    _insert(loaded, 5, first_day, minutes=25 * 60)
    result = _check(loaded, DURATIONS)
    assert not result.passed
    assert result.metadata["negative"].value == 1
    assert result.metadata["too_long"].value == 1
    assert result.metadata["longest_hours"].value == 25
    # minus the UNIX time of its start: a timer that is running
    _insert(loaded, 7, first_day, minutes=-29_000_000)
    assert _check(loaded, DURATIONS).metadata["negative"].value == 1


def _important_columns_without_a_value(loaded: Platform, first_day: date) -> None:
    assert _check(loaded, NULLS).passed
    _insert(loaded, 6, first_day, user_id=None)
    result = _check(loaded, NULLS)
    assert not result.passed
    assert result.metadata["null_share_user_id"].value > 0


def test_volume_against_the_usual_for_the_weekday(loaded: Platform, today: date) -> None:
    """12 rows on each of the last five weeks' same weekday, and 2 yesterday."""
    number = 100
    yesterday = today - timedelta(days=1)
    for week in range(6):
        for _ in range(12 if week else 2):
            _insert(loaded, number, yesterday - timedelta(weeks=week))
            number += 1
    result = _check(loaded, VOLUME)
    assert not result.passed
    assert f"{yesterday}: 2 rows, usually 12" in str(result.description)
    assert result.metadata["rows_usual"].value == 12
    loaded.sql(f"DELETE FROM {TABLE} WHERE start < TIMESTAMPTZ '{today - timedelta(weeks=3)}'")
    result = _check(loaded, VOLUME)
    assert result.passed
    assert "Not judged" in str(result.description)


def test_schema_change_is_reported_once(platform: Platform) -> None:
    assert platform.materialize(ROLES).green
    platform.sql("ALTER TABLE resource_management.roles ADD COLUMN nickname VARCHAR")
    result = _check(platform, "schema_unchanged", ROLES)
    assert not result.passed
    assert "new: nickname (text)" in str(result.description)
    assert _check(platform, "schema_unchanged", ROLES).passed


def _a_load_judges_its_window_alone(loaded: Platform, first_day: date) -> None:
    """What is wrong on another day was told when that day was loaded."""
    other = (first_day + timedelta(days=1)).isoformat()
    outcome = loaded.materialize(ENTRIES, partition=other)
    result = outcome.checks[ENTRIES][DURATIONS]
    assert result.passed
    assert other in str(result.metadata["window"].value)
    assert not _check(loaded, DURATIONS).passed
