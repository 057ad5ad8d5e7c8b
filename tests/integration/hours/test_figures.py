"""The figures of the sandbox's data on one day, to the second, whatever the warehouse."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support import throwaway_postgres
from tests.support.hours_sandbox import TODAY, Loaded
from timetracking_assets.hours.checks.declared import checks_of

# source -> entries, seconds, billable seconds, days, persons
ENTRIES = {
    "project_management": (857, 5_431_500, 4_102_200, 278, 8),
    "resource_management": (641, 4_101_300, 3_097_800, 279, 13),
    "time_analytics": (828, 5_350_500, 4_118_400, 273, 7),
    "time_tracking": (1_376, 8_973_900, 6_596_100, 619, 5),
    "workspace_time": (534, 3_345_300, 2_422_500, 273, 1),
}
ROWS = {
    "people_in_sources": 49,
    "people": 14,
    "clients": 43,
    "projects": 80,
    "tasks": 515,
    "time_entries": 4_236,
    "absences": 192,
    "plans": 435,
}
HOURS = {
    "capacity": Decimal("62873.5"),
    "absent": Decimal("5622.5"),
    "available": Decimal("57251"),
    "planned": Decimal("8155"),
    "worked": Decimal("7556.25"),
    "billable": Decimal(20_337_000) / 3600,
}
AMOUNTS = {
    "project_management": Decimal("104643.125"),
    "resource_management": Decimal(0),
    "time_analytics": Decimal("76208.75"),
    "time_tracking": Decimal("138706.875"),
    "workspace_time": Decimal(0),
}
BY_SOURCE = (
    "SELECT source, count(*), sum(seconds), sum(CASE WHEN billable THEN seconds ELSE 0 END), "
    "count(DISTINCT day), count(DISTINCT person_key) FROM hours.time_entries GROUP BY source"
)


@pytest.mark.timeout(300)
def test_figures(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    world = loaded.world()
    checks = [(check.table, check.name) for check in checks_of(world.model)]
    report = world.build(checks=checks)
    failed = {key for key, finding in report.findings.items() if finding.count}
    # invented work of one person in several APIs looks alike now and then
    assert failed == {("time_entries", "no_work_twice")}

    found = {source: tuple(map(int, rest)) for source, *rest in world.rows(BY_SOURCE)}
    assert found == ENTRIES
    assert {name: report.tables[name].rows for name in ROWS} == ROWS
    sums = ", ".join(f"sum({name}_seconds)" for name in HOURS)
    [seconds] = world.rows(f"SELECT {sums} FROM hours.person_days")
    hours = [Decimal(int(total)) / 3600 for total in seconds]
    assert dict(zip(HOURS, hours, strict=True)) == HOURS
    amounts = world.rows(
        "SELECT split_part(project_key, ':', 1) AS source, sum(amount) "
        "FROM hours.person_project_weeks WHERE currency = 'EUR' "
        "GROUP BY split_part(project_key, ':', 1)"
    )
    assert dict(amounts) == AMOUNTS
    matched = dict(
        world.rows("SELECT matched_by, count(*) FROM hours.people_in_sources GROUP BY matched_by")
    )
    assert matched == {"identity": 14, "email": 35}
    approved = world.rows("SELECT count(*) FROM hours.absences WHERE status = 'approved'")
    assert approved == [(179,)]

    # the questions of the page about it, in DuckDB's words
    if not throwaway_postgres.available():
        page = (Path(__file__).parents[3] / "docs" / "hours.md").read_text()
        for text in re.findall(r"```sql\n(.*?)```", page, re.DOTALL):
            query = text.replace("current_date", f"DATE '{TODAY}'")
            assert world.rows(query) or "absences" in query or "HAVING" in query, query

    # who is who can't be seen from the rows alone
    alone = loaded.world(identity={})
    assert alone.build(["people_in_sources", "people"]).tables["people"].rows == 28
    unmatched = "SELECT count(*) FROM hours.people_in_sources WHERE matched_by = 'unmatched'"
    assert alone.rows(unmatched) == [(14,)]

    # late work is of the next day in Berlin
    monkeypatch.setenv("WORKSPACE_TIME_TIMEZONE", "Europe/Berlin")
    berlin = loaded.world()
    berlin.build(["people_in_sources", "time_entries"])
    days = {source: numbers[3] for source, *numbers in berlin.rows(BY_SOURCE)}
    assert days == {**{name: row[3] for name, row in ENTRIES.items()}, "workspace_time": 280}
