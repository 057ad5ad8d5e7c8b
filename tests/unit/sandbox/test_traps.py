"""The generated data has the traps that other tests and the demo rely on."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from timetracking_assets.sandbox.dataset import DEFAULT_SEED, generate

TODAY = date(2026, 2, 4)
DATA = generate(DEFAULT_SEED, TODAY)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_page_boundaries_are_where_the_traps_are() -> None:
    resource_management = DATA["resource_management"]
    assert len(resource_management["project_tasks"]) == 200
    assert resource_management["milestones"] == []
    assert len(resource_management["tasks"]) > 200
    assert len(resource_management["logged_time"]) > 200
    assert len(DATA["project_management"]["entries"]) > 1_000
    tasks = Counter(row["workspace_id"] for row in DATA["workspace_time"]["workspace_tasks"])
    assert sorted(tasks.values()) == [7, 50, 120]


@pytest.mark.parametrize("today", [TODAY, date(2024, 2, 29), date(2026, 1, 2)])
def test_one_user_has_exactly_a_page_of_entries_and_one_has_none(today: date) -> None:
    analytics = generate(DEFAULT_SEED, today)["time_analytics"]
    entries = Counter(row["userId"] for row in analytics["time_entries"])
    counts = [entries[row["id"]] for row in analytics["users"]]
    assert counts.count(50) == 1
    assert counts.count(0) == 1
    projects = Counter(row["projectId"] for row in analytics["tasks"])
    assert max(projects.values()) > 50
    assert 0 in [projects[row["id"]] for row in analytics["projects"]]


def test_absences_cross_the_turn_of_the_year_and_cost_half_days() -> None:
    absences = DATA["project_management"]["absences"]
    crossing = [(row["date_since"], row["date_until"]) for row in absences]
    assert ("2024-12-28", "2025-01-03") in crossing
    assert ("2025-12-28", "2026-01-03") in crossing
    assert {row["count_days"] % 1 for row in absences} == {0.0, 0.5}
    assert all(row["date_since"] <= row["date_until"] < TODAY.isoformat() for row in absences)


def test_nobody_logs_time_on_a_full_day_off() -> None:
    rows = DATA["resource_management"]
    off = {
        (row["people_ids"][0], row["start_date"])
        for row in rows["time_off"]
        if row["full_day"] and row["status"]["code"] == 2
    }
    assert off
    assert not off & {(row["person_id"], row["date"]) for row in rows["logged_time"]}


def test_offsets_vary_and_move_some_entries_to_another_date() -> None:
    entries = DATA["workspace_time"]["time_entries"]
    assert {row["start"][-6:] for row in entries} == {"+00:00", "+01:00"}
    moved = [
        row for row in entries if row["start"][:10] != instant(row["start"]).date().isoformat()
    ]
    assert 10 < len(moved) < 200


@pytest.mark.parametrize(
    ("api", "resource", "name"),
    [
        ("time_tracking", "time_tracking_data", "note"),
        ("time_tracking", "time_tracking_data", "hourly_rate"),
        ("project_management", "customers", "number"),
        ("project_management", "projects", "budget"),
        ("project_management", "entries", "text"),
        ("workspace_time", "time_entries", "task_id"),
        ("resource_management", "logged_time", "notes"),
        ("resource_management", "logged_time", "task_id"),
        ("time_analytics", "time_entries", "taskId"),
    ],
)
def test_nullable_fields_are_sometimes_null_and_always_there(
    api: str, resource: str, name: str
) -> None:
    values = [row[name] for row in DATA[api][resource]]
    assert None in values
    assert any(value is not None for value in values)


def test_texts_leave_plain_letters() -> None:
    notes = "".join(row["note"] or "" for row in DATA["time_tracking"]["time_tracking_data"])
    assert not notes.isascii()
    assert "\n" in notes
    assert '"' in notes
