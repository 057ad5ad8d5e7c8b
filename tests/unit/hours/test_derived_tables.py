"""Tables made of other tables of the model: people, capacity, absences, plans, sums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.hours import World, tool


def test_people_take_facts_by_precedence(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    world = World.of(
        new_warehouse(tmp_path), tool("one"), tool("two"), precedence={"people": ["two"]}
    )
    ada = {"id": 1, "email": "ada@studio.example"}
    world.put("one.users", {**ada, "name": "A.", "zone": "Europe/Berlin"})
    world.put("two.users", {**ada, "name": "Ada"})
    world.build()
    assert world.rows("SELECT name, timezone FROM hours.people") == [("Ada", "Europe/Berlin")]


def test_sums(world: World) -> None:
    report = world.build()
    assert report.kept_back == {}
    worked = world.rows(
        "SELECT person_key, day, worked_seconds, billable_seconds FROM hours.person_days "
        "WHERE worked_seconds > 0 ORDER BY day, person_key"
    )
    assert worked == [
        ("ada@studio.example", date(2026, 3, 2), 7200, 7200),
        ("ben@studio.example", date(2026, 3, 2), 1200, 1200),
        ("ada@studio.example", date(2026, 3, 3), 3600, 0),
    ]
    weeks = world.rows(
        "SELECT person_key, project_key, client_key, week, currency, worked_seconds, amount "
        "FROM hours.person_project_weeks ORDER BY 1"
    )
    monday = date(2026, 3, 2)
    assert weeks == [
        ("ada@studio.example", "tool:7", "tool:30", monday, "EUR", 10800, Decimal("200.0000")),
        # a third of an hour: rounded once
        ("ben@studio.example", "tool:7", "tool:30", monday, "EUR", 1200, Decimal("33.3333")),
    ]


def test_capacity_absence_and_plans(world: World) -> None:
    world.put(
        "tool.leave",
        {"id": 1, "people": "[1, 2]", "first": "2026-03-04", "last": "2026-03-04", "state": "ok"},
        {"id": 2, "people": "[1]", "first": "2026-03-05", "hours": 3.0, "state": "ok"},
        {"id": 3, "people": "[1]", "first": "2026-03-06", "last": "2026-03-06", "state": "no"},
        {"id": 4, "people": "[]", "first": "2026-03-06", "last": "2026-03-06", "state": "ok"},
    )
    booking = {"user_id": 2, "first": "2026-03-02", "last": "2026-03-08", "hours": 2.5}
    world.put("tool.bookings", {"id": 1, **booking})
    world.build()
    hours = world.rows(
        "SELECT person_key, sum(capacity_seconds) / 3600.0, sum(absent_seconds) / 3600.0, "
        "sum(available_seconds) / 3600.0, sum(planned_seconds) / 3600.0 FROM hours.person_days "
        "GROUP BY person_key ORDER BY 1"
    )
    assert [(name, *map(float, numbers)) for name, *numbers in hours] == [
        # Monday to Friday of one week, by the model's own hours; a whole day and three hours off
        ("ada@studio.example", 40, 8 + 3, 29, 0),
        # 8, 8, 4.5 and 8 hours; Wednesday off; four working days planned
        ("ben@studio.example", 28.5, 4.5, 24, 10),
    ]
    assert world.rows("SELECT absence_key FROM hours.absences ORDER BY 1") == [
        ("tool:1:1",),
        ("tool:1:2",),
        ("tool:2:1",),
        ("tool:3:1",),
    ]
    assert world.finding("absences", "days_in_equal_days_out").facts["days_in"] == 4


def test_who_is_absent_in_two_apis_is_absent_once(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    world = World.of(
        new_warehouse(tmp_path),
        tool("one"),
        tool("two"),
        precedence={"absences": ["two", "one"]},
    )
    day = {"id": 1, "people": "[1]", "first": "2026-03-04", "last": "2026-03-04", "state": "ok"}
    for api, hours in (("one", None), ("two", 4.0)):
        world.put(f"{api}.users", {"id": 1, "email": "ada@studio.example"})
        world.put(f"{api}.leave", {**day, "hours": hours})
    world.build()
    assert world.rows("SELECT seconds, source FROM hours.absence_days") == [(4 * 3600, "two")]
