"""Each check of the model passes, and fails on what it is for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.hours import World, entry, tool
from timetracking_assets.hours.checks.check import Finding
from timetracking_assets.hours.checks.declared import checks_of
from timetracking_assets.hours.tables import MARTS, TABLES

_EIGHT, _NINE, _TEN = (f"2026-03-02T{hour:02}:00:00+00:00" for hour in (8, 9, 10))

# check -> what is done to the raw tables before a build
FROM_ROWS: dict[tuple[str, str], list[str]] = {
    ("people_in_sources", "keys_unique"): ["INSERT INTO tool.users (id) VALUES (1)"],
    ("people_in_sources", "people_matched"): ["UPDATE tool.users SET email = ' ' WHERE id = 1"],
    ("projects", "keys_unique"): ["INSERT INTO tool.projects (id) VALUES (7)"],
    ("projects", "references_resolve"): [],
    ("time_entries", "keys_unique"): ["INSERT INTO tool.entries (id) VALUES (1)"],
    ("time_entries", "references_resolve"): ["UPDATE tool.entries SET project_id = 99"],
    ("time_entries", "values_known"): ["UPDATE tool.entries SET kind = 'gift' WHERE id = 1"],
    ("time_entries", "no_overlaps"): [
        "UPDATE tool.entries SET user_id = 1, start = '2026-03-02T09:30:00Z' WHERE id = 2"
    ],
    ("time_entries", "durations_plausible"): ["UPDATE tool.entries SET seconds = -1 WHERE id = 1"],
    ("time_entries", "durations_match_spans"): [
        "UPDATE tool.entries SET seconds = 60 WHERE id = 1"
    ],
    ("time_entries", "no_running_timers"): [
        "UPDATE tool.entries SET stop = NULL, seconds = NULL WHERE id = 1"
    ],
    ("time_entries", "no_entries_over_midnight"): [
        "UPDATE tool.entries SET stop = '2026-03-03T10:00:00Z' WHERE id = 1"
    ],
    ("absences", "keys_unique"): [
        "INSERT INTO tool.leave (id, people, first) VALUES (1, '[1]', '2026-03-02')",
        "INSERT INTO tool.leave (id, people, first) VALUES (1, '[1]', '2026-03-02')",
    ],
    ("absences", "references_resolve"): [
        "INSERT INTO tool.leave (id, people, first) VALUES (1, '[99]', '2026-03-02')"
    ],
    ("absences", "values_known"): [
        "INSERT INTO tool.leave (id, people, first, state) VALUES (1, '[1]', '2026-03-02', 'hm')"
    ],
    ("plans", "keys_unique"): [
        "INSERT INTO tool.bookings (id, first) VALUES (1, '2026-03-02')",
        "INSERT INTO tool.bookings (id, first) VALUES (1, '2026-03-02')",
    ],
    ("plans", "references_resolve"): [
        "INSERT INTO tool.bookings (id, user_id, first) VALUES (1, 99, '2026-03-02')"
    ],
}
# check -> what is done to the model after a build
FROM_MODEL: dict[tuple[str, str], str] = {
    ("clients", "keys_unique"): "INSERT INTO hours.clients SELECT * FROM hours.clients",
    ("projects", "references_resolve"): "DELETE FROM hours.clients",
    ("absences", "days_in_equal_days_out"): "UPDATE hours.absences SET last_day = last_day + 1",
    ("plans", "days_in_equal_days_out"): "DELETE FROM hours.plans",
    ("person_days", "hours_equal_entries"): (
        "UPDATE hours.person_days SET worked_seconds = worked_seconds + 1 WHERE worked_seconds > 0"
    ),
    ("person_project_weeks", "hours_equal_entries"): (
        "UPDATE hours.person_project_weeks SET billable_seconds = 0"
    ),
}
# check -> the first row that its message names: source, ids, seconds (or days)
_ADA = "person_key ada@studio.example"
NAMED: dict[tuple[str, str], str] = {
    ("people_in_sources", "keys_unique"): "source tool, source_id 1, n 2",
    ("people_in_sources", "people_matched"): "source tool, source_id 1, name Ada",
    ("projects", "keys_unique"): "source tool, project_key tool:7, n 2",
    ("clients", "keys_unique"): "source tool, client_key tool:30, n 2",
    ("projects", "references_resolve"): (
        "source tool, column_name client_key, value tool:30, n 1, first_id 7"
    ),
    ("time_entries", "keys_unique"): "source tool, entry_key tool:1, n 2, seconds 7200",
    ("time_entries", "references_resolve"): (
        "source tool, column_name project_key, value tool:99, n 3, seconds 12000, first_id 1"
    ),
    ("time_entries", "values_known"): (
        "source tool, key billable, value gift, n 1, seconds 7200, first_id 1"
    ),
    ("time_entries", "no_overlaps"): (
        f"source tool, source_id 2, {_ADA}, day 2026-03-02, seconds 1200, other_id 1"
    ),
    ("time_entries", "durations_plausible"): (
        f"source tool, source_id 1, {_ADA}, day 2026-03-02, seconds -1"
    ),
    ("time_entries", "durations_match_spans"): (
        f"source tool, source_id 1, {_ADA}, day 2026-03-02, seconds 60"
    ),
    # it has no seconds yet
    ("time_entries", "no_running_timers"): f"source tool, source_id 1, {_ADA}, day 2026-03-02",
    ("time_entries", "no_entries_over_midnight"): (
        f"source tool, source_id 1, {_ADA}, day 2026-03-02, seconds 7200"
    ),
    ("absences", "keys_unique"): "source tool, absence_key tool:1:1, n 2",
    ("absences", "references_resolve"): (
        "source tool, column_name person_key, value tool:99, n 1, first_id 1:99"
    ),
    ("absences", "values_known"): "source tool, key status, value hm, n 1, first_id 1:1",
    ("absences", "days_in_equal_days_out"): (
        "source tool, problem different, id 1:1, days_in 1, days_out 2"
    ),
    ("plans", "keys_unique"): "source tool, plan_key tool:1, n 2",
    ("plans", "references_resolve"): (
        "source tool, column_name person_key, value tool:99, n 1, first_id 1"
    ),
    ("plans", "days_in_equal_days_out"): "source tool, problem missing, id 1, days_in 1",
    ("person_days", "hours_equal_entries"): (
        f"{_ADA}, day 2026-03-03, entries_seconds 3600, mart_seconds 3601, entries_billable 0, "
        "mart_billable 0, n 1, entries tool:3"
    ),
    ("person_project_weeks", "hours_equal_entries"): (
        f"source tool, {_ADA}, project_key tool:7, week 2026-03-02, entries_seconds 10800, "
        "mart_seconds 10800, entries_billable 7200, mart_billable 0, n 2, entries tool:1, tool:3"
    ),
}
ELSEWHERE = {
    ("time_entries", "hours_in_equal_hours_out"),
    ("time_entries", "sources_present"),
    ("time_entries", "no_work_twice"),
    # no resource of this API is tasks or holidays
    *((table, "keys_unique") for table in ("tasks", "holidays")),
    ("tasks", "references_resolve"),
}


def test_every_check_is_seen_to_fail_here(world: World) -> None:
    known = {(check.table, check.name) for check in checks_of(world.model)}
    assert known == {key for key in FROM_ROWS if FROM_ROWS[key]} | FROM_MODEL.keys() | ELSEWHERE


def test_all_checks_pass_on_good_rows(world: World) -> None:
    names = [(check.table, check.name) for check in checks_of(world.model)]
    report = world.build(checks=names)
    assert {key: finding.text for key, finding in report.findings.items() if finding.count} == {}
    assert set(report.findings) == set(names)


@pytest.mark.parametrize("key", [key for key in FROM_ROWS if FROM_ROWS[key]])
def test_checks_fail_on_bad_rows(world: World, key: tuple[str, str]) -> None:
    for sql in FROM_ROWS[key]:
        world.change(sql)
    base = [name for name in TABLES if name not in MARTS and TABLES[name].mapping]
    finding = world.build(base, checks=[key]).findings[key]
    assert finding.count > 0
    assert finding.text.startswith(f"{finding.count} ")
    assert f"({NAMED[key]}" in finding.text


@pytest.mark.parametrize("key", FROM_MODEL)
def test_checks_fail_on_a_wrong_model(world: World, key: tuple[str, str]) -> None:
    leave = {"id": 1, "people": "[1]", "first": "2026-03-04", "last": "2026-03-04", "state": "ok"}
    world.put("tool.leave", leave)
    world.put("tool.bookings", {"id": 1, "user_id": 1, "first": "2026-03-02", "hours": 1.0})
    world.build()
    assert world.finding(*key).count == 0
    world.change(FROM_MODEL[key])
    finding = world.finding(*key)
    assert finding.text.startswith(f"{finding.count} ")
    assert f"({NAMED[key]}" in finding.text


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        (
            "DELETE FROM hours.time_entries WHERE source_id = '2'",
            ("tool", "missing", "2", 1200, None),
        ),
        ("DELETE FROM tool.entries WHERE id = 2", ("tool", "extra", "2", None, 1200)),
        (
            "UPDATE hours.time_entries SET seconds = 1201 WHERE source_id = '2'",
            ("tool", "different", "2", 1200, 1201),
        ),
        (
            "INSERT INTO hours.time_entries SELECT * FROM hours.time_entries WHERE source_id = '2'",
            ("tool", "multiplied", "2", 1200, 2400),
        ),
    ],
)
def test_hours_in_equal_hours_out(world: World, sql: str, row: tuple[Any, ...]) -> None:
    world.build(["people_in_sources", "time_entries"])
    world.change(sql)
    finding = world.finding("time_entries", "hours_in_equal_hours_out")
    assert finding.rows == (row,)
    assert f"(source tool, problem {row[1]}, id 2, seconds_" in finding.text


def test_a_message_names_some_and_counts_the_rest() -> None:
    rows = tuple(("tool", str(number), None) for number in range(10))
    finding = Finding(12, "{count} entries are odd", ("source", "id", "seconds"), rows)
    assert finding.text == (
        "12 entries are odd (source tool, id 0; source tool, id 1; source tool, id 2; and 9 more)"
    )
    assert Finding(1, "{count} entry is odd").text == "1 entry is odd"
    assert Finding(0, "{count} entries are odd").text == ""


def test_a_shift_of_hours_between_projects_is_noticed(world: World) -> None:
    """The person's week has the right sum, and its projects have not."""
    world.build()
    world.change("UPDATE hours.person_project_weeks SET project_key = 'tool:8'")
    finding = world.finding("person_project_weeks", "hours_equal_entries")
    assert finding.count == 4
    # the sums of nothing: no entry is of that project
    assert (
        f"source tool, {_ADA}, project_key tool:8, week 2026-03-02, entries_seconds 0, "
        "mart_seconds 10800, entries_billable 0, mart_billable 7200, n 0" in finding.text
    )


def test_a_raw_table_that_is_gone_is_named(world: World) -> None:
    world.change("DROP TABLE tool.entries")
    report = world.build()
    assert report.tables["time_entries"].rows == 0
    check = ("time_entries", "sources_present")
    finding = world.finding(*check, loaded={("tool", "entries")})
    assert (finding.count, finding.rows) == (1, (("tool", "entries"),))
    assert "(source tool, resource entries)" in finding.text
    # an API that nobody has configured is not missed
    assert world.finding(*check).count == 0


def test_work_in_two_apis(world: World) -> None:
    two = World.of(world.warehouse, tool(), tool("other"))
    two.put("other.users", {"id": 5, "email": "ada@studio.example"})
    two.put("other.projects", {"id": 7, "client_id": 1})
    two.put("other.entries", entry(1, _EIGHT, _TEN, user_id=5), entry(2, _NINE, _TEN, user_id=5))
    two.build()
    finding = two.finding("time_entries", "no_work_twice")
    assert finding.count == 1
    assert finding.rows[0][-1] == "other:1, tool:1"
    assert "seconds 7200, n 2, entries other:1, tool:1)" in finding.text
