"""Partitions: what is asked of an API for one, for a range, and what becomes of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

if TYPE_CHECKING:
    from tests.support.platform import Outcome, Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

ENTRIES, ENTRIES_TABLE = "workspace_time/time_entries", "workspace_time.time_entries"
CHANGED, CHANGED_TABLE = "project_management/entries", "project_management.entries"
ABSENCES, ABSENCES_TABLE = "project_management/absences", "project_management.absences"
TASKS, TASKS_TABLE = "resource_management/project_tasks", "resource_management.project_tasks"

NEWEST = "newest_partition_loaded"
"""The check that isn't about what was loaded."""

Day = Callable[[int], str]


def _entry(number: int, start: str) -> dict[str, Any]:
    return {"id": number, "start": start, "stop": start, "workspace_id": 1, "duration": 60}


@pytest.fixture
def entries(control: RemoteControl, day_of: Day) -> list[dict[str, Any]]:
    """One entry at noon of each of six days, ids 1 to 6, in place of the invented ones."""
    rows = [_entry(number + 1, f"{day_of(number)}T12:00:00+00:00") for number in range(6)]
    control.replace("workspace_time", "time_entries", rows)
    return rows


def _window(outcome: Outcome, key: str) -> set[str]:
    """The window that the metadata and the checks of a run speak of."""
    windows = {outcome.metadata[key]["window"]}
    checks = [check for name, check in outcome.checks[key].items() if name != NEWEST]
    return windows | {str(check.metadata["window"].value) for check in checks}


def _queries(control: RemoteControl) -> list[dict[str, str]]:
    return [dict(map(tuple, request["query"])) for request in control.requests()]


def test_single_partition(
    platform: Platform, control: RemoteControl, entries: list[Any], day_of: Day
) -> None:
    outcome = platform.materialize(ENTRIES, partition=day_of(2))
    assert outcome.green
    assert platform.keys(ENTRIES_TABLE) == [3]
    [query] = _queries(control)
    assert query["start_date"][:10] == day_of(2)
    assert query["end_date"][:10] == day_of(3)
    [window] = _window(outcome, ENTRIES)
    assert day_of(2) in window
    assert day_of(3) in window
    assert outcome.metadata[ENTRIES]["dagster/partition_row_count"] == 1


def test_range_is_one_run_with_one_request_series(
    platform: Platform, control: RemoteControl, entries: list[Any], day_of: Day
) -> None:
    outcome = platform.materialize(ENTRIES, days=(day_of(1), day_of(4)))
    assert outcome.green
    assert platform.keys(ENTRIES_TABLE) == [2, 3, 4, 5]
    [query] = _queries(control)
    assert (query["start_date"][:10], query["end_date"][:10]) == (day_of(1), day_of(5))
    [window] = _window(outcome, ENTRIES)
    assert day_of(1) in window
    assert day_of(5) in window
    key = dg.AssetKey.from_user_string(ENTRIES)
    expected = {day_of(number) for number in range(1, 5)}
    assert platform.instance.get_materialized_partitions(key) == expected

    # what is true of the range as a whole is in the newest event, which Dagster's page shows
    newest, *others = platform.instance.fetch_materializations(key, limit=10).records
    assert newest.partition_key == day_of(4)
    shown = newest.asset_materialization.metadata
    assert {"dagster/column_schema", "rows_in_answer"} <= shown.keys()
    assert len(others) == 3
    for record in others:
        metadata = record.asset_materialization.metadata
        assert metadata == {name: shown[name] for name in ("load_id", "window")}
    [check] = platform.check(ENTRIES, names=["rows_reconciled"]).checks[ENTRIES].values()
    assert check.passed


def test_chosen_partitions_and_the_same_again(
    platform: Platform, entries: list[Any], day_of: Day
) -> None:
    """Days that aren't neighbours; loaded again, the table is the same to the last value."""
    for number in (0, 3):
        assert platform.materialize(ENTRIES, partition=day_of(number)).green
    assert platform.keys(ENTRIES_TABLE) == [1, 4]
    columns = "* EXCLUDE (_dlt_load_id)" if _has_load_id(platform) else "*"
    before = platform.sql(f"SELECT {columns} FROM {ENTRIES_TABLE} ORDER BY id")

    again = platform.materialize(ENTRIES, partition=day_of(3))
    assert platform.sql(f"SELECT {columns} FROM {ENTRIES_TABLE} ORDER BY id") == before
    assert again.metadata[ENTRIES]["rows_inserted"] == 0
    assert again.metadata[ENTRIES]["dagster/partition_row_count"] == 1
    assert again.metadata[ENTRIES]["dagster/row_count"] == 2


def _has_load_id(platform: Platform) -> bool:
    return ("_dlt_load_id",) in platform.sql(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'time_entries'"
    )


def test_window_is_made_equal_to_the_answer(
    platform: Platform, control: RemoteControl, entries: list[Any], day_of: Day
) -> None:
    """Changed, added, moved and deleted rows, and a day that has become empty."""
    assert platform.materialize(ENTRIES, days=(day_of(0), day_of(5))).green
    control.edit(
        "workspace_time",
        "time_entries",
        upsert=[
            {"id": 1, "description": "changed"},
            {"id": 2, "start": f"{day_of(3)}T08:00:00+00:00"},
            _entry(7, f"{day_of(3)}T23:59:59+00:00"),
            # the same instant is already the next day: not this window's
            _entry(8, f"{day_of(4)}T00:00:00+00:00"),
        ],
        delete=[4, 5, 6],
    )
    # the row that moved from day 1 to day 3 stands once, though day 1 was not loaded again
    moved = platform.materialize(ENTRIES, partition=day_of(3))
    assert moved.green
    assert platform.keys(ENTRIES_TABLE) == [1, 2, 3, 5, 6, 7]
    assert moved.metadata[ENTRIES]["rows_deleted"] == 1
    assert moved.metadata[ENTRIES]["dagster/partition_row_count"] == 2

    # nothing is left of day 5: its row goes, the others stay
    emptied = platform.materialize(ENTRIES, partition=day_of(5))
    assert emptied.green
    assert emptied.metadata[ENTRIES]["rows_extracted"] == 0
    assert emptied.metadata[ENTRIES]["rows_deleted"] == 1
    assert platform.keys(ENTRIES_TABLE) == [1, 2, 3, 5, 7]

    assert platform.materialize(ENTRIES, days=(day_of(0), day_of(5))).green
    assert platform.keys(ENTRIES_TABLE) == [1, 2, 3, 7, 8]
    [(text,)] = platform.sql(f"SELECT description FROM {ENTRIES_TABLE} WHERE id = 1")
    assert text == "changed"


def test_empty_first_day_makes_an_empty_table(
    platform: Platform, control: RemoteControl, entries: list[Any], day_of: Day
) -> None:
    outcome = platform.materialize(ENTRIES, partition=day_of(8))
    assert outcome.green
    assert platform.keys(ENTRIES_TABLE) == []
    assert outcome.metadata[ENTRIES]["dagster/row_count"] == 0


def test_changes_leave_what_the_answer_is_silent_about(
    platform: Platform, control: RemoteControl, day_of: Day
) -> None:
    """Rows by the day of their last change: one that changes again moves to that day."""
    rows = [
        {"id": number + 1, "time_last_change": f"{day_of(number)}T12:00:00Z", "text": "old"}
        for number in range(3)
    ]
    control.replace("project_management", "entries", rows)
    assert platform.materialize(CHANGED, days=(day_of(0), day_of(5))).green
    assert platform.keys(CHANGED_TABLE) == [1, 2, 3]

    changed = {"id": 1, "time_last_change": f"{day_of(4)}T09:00:00Z", "text": "new"}
    control.edit("project_management", "entries", upsert=[changed], delete=[2])
    control.clear_requests()
    outcome = platform.materialize(CHANGED, partition=day_of(4))
    assert outcome.green
    found = platform.sql(f"SELECT id, text FROM {CHANGED_TABLE} ORDER BY id")
    assert found == [(1, "new"), (2, "old"), (3, "old")]
    [query] = _queries(control)
    assert query["time_last_change_since"].startswith(day_of(4))
    assert query["time_last_change_until"].startswith(day_of(5))


def test_a_filter_without_an_end(platform: Platform, control: RemoteControl, day_of: Day) -> None:
    """The API gives everything since: what lies after the window is left to its own partition."""
    rows = [{"id": n + 1, "modified": f"{day_of(n)} 10:00:00", "hours": 1} for n in range(4)]
    control.replace("resource_management", "logged_time", rows)
    key, table = "resource_management/logged_time", "resource_management.logged_time"
    outcome = platform.materialize(key, partition=day_of(1))
    assert outcome.green
    assert platform.keys(table) == [2]
    assert outcome.metadata[key]["rows_outside_window"] == 2


def test_absences_by_year(platform: Platform, control: RemoteControl, today: date) -> None:
    """Asked by year; one that goes on over New Year's Eve belongs to the year of its first day."""
    year = today.year
    rows = [
        {"id": 1, "date_since": f"{year - 1}-05-02", "date_until": f"{year - 1}-05-03"},
        {"id": 2, "date_since": f"{year - 1}-12-29", "date_until": f"{year}-01-03"},
        {"id": 3, "date_since": f"{year}-02-01", "date_until": f"{year}-02-01"},
    ]
    control.replace("project_management", "absences", rows)
    outcome = platform.materialize(ABSENCES, partition=str(year))
    assert outcome.green
    assert platform.keys(ABSENCES_TABLE) == [3]
    assert _queries(control) == [{"year": str(year)}]
    [window] = _window(outcome, ABSENCES)
    assert window.startswith(f"[{year}-01-01")


def test_range_of_years(
    load_platform: Callable[[], Platform],
    control: RemoteControl,
    monkeypatch: pytest.MonkeyPatch,
    today: date,
) -> None:
    monkeypatch.setenv("PROJECT_MANAGEMENT_START", f"{today.year - 1}-12-31")
    platform = load_platform()
    outcome = platform.materialize(ABSENCES, days=(str(today.year - 1), str(today.year)))
    assert outcome.green
    # at the same time, so in any order
    years = sorted(query["year"] for query in _queries(control))
    assert years == [str(today.year - 1), str(today.year)]
    truth = [
        row["id"]
        for row in control.rows("project_management", "absences")
        if row["date_since"] >= str(today.year - 1)
    ]
    assert platform.keys(ABSENCES_TABLE) == sorted(truth)


def test_days_in_a_time_zone(
    load_platform: Callable[[], Platform],
    control: RemoteControl,
    monkeypatch: pytest.MonkeyPatch,
    first_day: date,
) -> None:
    """A day begins and ends where its zone's does, in the request and in the table."""
    zone = ZoneInfo("America/New_York")
    monkeypatch.setenv("WORKSPACE_TIME_TIMEZONE", zone.key)
    monkeypatch.setenv("WORKSPACE_TIME_START", first_day.isoformat())
    platform = load_platform()
    day = first_day + timedelta(days=1)
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    end = begin + timedelta(days=1)
    second = timedelta(seconds=1)
    instants = [begin - second, begin, end - second, end]
    rows = [
        _entry(number, instant.astimezone(ZoneInfo("UTC")).isoformat())
        for number, instant in enumerate(instants, start=1)
    ]
    control.replace("workspace_time", "time_entries", rows)
    outcome = platform.materialize(ENTRIES, partition=day.isoformat())
    assert outcome.green
    assert platform.keys(ENTRIES_TABLE) == [2, 3]
    [query] = _queries(control)
    assert datetime.fromisoformat(query["start_date"]) == begin
    assert datetime.fromisoformat(query["end_date"]) == end
    [window] = _window(outcome, ENTRIES)
    assert begin.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ") in window


def test_fan_out_by_day(platform: Platform, control: RemoteControl, day_of: Day) -> None:
    """One series for each parent, whose ids come from its table and cost no request."""
    users, key = "time_analytics/users", "time_analytics/time_entries"
    assert platform.materialize(users).green
    count = len(platform.keys("time_analytics.users"))
    assert count > 1
    control.clear_requests()
    outcome = platform.materialize(key, days=(day_of(0), day_of(9)))
    assert outcome.green
    requests = control.requests()
    assert all("/time-entries" in request["path"] for request in requests)
    pages = Counter(dict(request["query"])["page"] for request in requests)
    # a short list may be followed by more, until the API is known to give longer pages
    assert pages["1"] == count
    assert pages.keys() <= {"1", "2"}
    assert pages["2"] < count
    truth = [
        row["id"]
        for row in control.rows("time_analytics", "time_entries")
        if row["timeInterval"]["start"] >= day_of(0)
    ]
    assert platform.keys("time_analytics.time_entries") == sorted(truth)


def test_snapshot_removes_what_is_gone_but_not_too_much(
    platform: Platform, control: RemoteControl
) -> None:
    api, resource = TASKS.split("/")
    assert platform.materialize(TASKS).green
    keys = platform.keys(TASKS_TABLE)

    control.edit(api, resource, delete=keys[:2])
    outcome = platform.materialize(TASKS)
    assert outcome.green
    assert platform.keys(TASKS_TABLE) == keys[2:]
    assert outcome.metadata[TASKS]["rows_deleted"] == 2

    # an answer that has lost most of its rows is more likely wrong than true
    control.replace(api, resource, [{"id": keys[-1], "name": "changed"}])
    refused = platform.materialize(TASKS)
    assert not refused.succeeded
    assert f"{len(keys) - 3} of {len(keys) - 2} rows" in refused.failures[TASKS]
    assert "allow_removal" in refused.failures[TASKS]
    assert platform.keys(TASKS_TABLE) == keys[2:]

    op = "resource_management__project_tasks"
    assert op in refused.failures[TASKS]
    allowed = {"ops": {op: {"config": {"allow_removal": True}}}}
    outcome = platform.materialize(TASKS, config=allowed)
    assert outcome.green
    assert platform.keys(TASKS_TABLE) == keys[-1:]


def test_run_without_a_partition_says_so(platform: Platform, control: RemoteControl) -> None:
    outcome = platform.materialize(ENTRIES)
    assert "partition" in outcome.failures[ENTRIES]
    assert control.requests() == []


def test_partitions_end_with_yesterday(platform: Platform) -> None:
    graph = platform.definitions.resolve_asset_graph()
    daily = graph.get(dg.AssetKey.from_user_string(ENTRIES)).partitions_def
    yearly = graph.get(dg.AssetKey.from_user_string(ABSENCES)).partitions_def
    assert daily is not None
    assert yearly is not None
    # midnight may pass in between
    before = datetime.now(UTC).date()
    last_day, last_year = daily.get_last_partition_key(), yearly.get_last_partition_key()
    days = {before, datetime.now(UTC).date()}
    assert last_day in {(day - timedelta(days=1)).isoformat() for day in days}
    assert last_year in {str(day.year) for day in days}
