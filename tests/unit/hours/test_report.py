"""Hours as they are shown: by week, person, project, client and source; missing timesheets."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.support.hours import World, entry
from timetracking_assets.errors import WarehouseError
from timetracking_assets.hours.report import Line, Selection, read_lines, total

ADA, BEN = "Ada", "Ben"


def _lines(world: World, by: Any, **chosen: Any) -> dict[str, Line]:
    with world.opened() as opened:
        return {line.label: line for line in read_lines(opened, by, Selection(**chosen))}


def test_hours_by_all_that_there_is(world: World) -> None:
    leave = {"id": 1, "people": "[2]", "first": "2026-03-03", "last": "2026-03-03", "state": "ok"}
    world.put("tool.leave", leave)
    world.build()
    people = _lines(world, "person")
    # two days, Monday and Tuesday
    assert people[ADA] == Line(ADA, 10800, 7200, 57600, 0, 57600, 0, 0, 2, key="ada@studio.example")
    # absent on Tuesday: that timesheet is not missing
    assert people[BEN] == Line(
        BEN, 1200, 1200, 57600, 28800, 28800, 0, 0, 1, key="ben@studio.example"
    )
    assert people[ADA].utilisation == 7200 / 57600
    assert people[ADA].billable_share == 7200 / 10800
    assert list(_lines(world, "week")) == ["2026-03-02"]
    assert [(line.label, line.week) for line in _lines(world, "person-week").values()] == [
        (ADA, date(2026, 3, 2)),
        (BEN, date(2026, 3, 2)),
    ]
    [project] = _lines(world, "project").values()
    assert (project.label, project.worked, project.capacity) == ("Site", 12000, None)
    assert project.amounts == (("EUR", 233.3333),)
    assert list(_lines(world, "client")) == ["tool:30"]
    assert list(_lines(world, "source")) == ["tool"]


def test_a_timesheet_is_missing_on_a_working_day_without_an_entry(world: World) -> None:
    world.change("DELETE FROM tool.entries WHERE id = 2")
    world.build()
    assert {name: line.missing_days for name, line in _lines(world, "person").items()} == {
        ADA: 0,
        BEN: 2,
    }


def test_filters(world: World) -> None:
    world.build()
    day = date(2026, 3, 3)
    assert [line.worked for line in _lines(world, "person", first=day).values()] == [3600, 0]
    assert list(_lines(world, "person", person="BEN@")) == [BEN]
    # what people's days don't know is asked of their weeks
    assert _lines(world, "person", project="site")[ADA].capacity is None
    for nothing in ({"project": "Shop"}, {"client": "31"}, {"source": "other"}, {"person": "'"}):
        assert _lines(world, "person", **nothing) == {}


def test_a_model_that_is_not_built(world: World) -> None:
    with pytest.raises(
        WarehouseError, match="not been built yet: materialize the assets of the group"
    ):
        _lines(world, "person")


def test_hours_are_not_due_today_nor_after_the_last_entry(world: World) -> None:
    today = datetime.now(UTC)
    ahead = today + timedelta(days=30)
    world.put(
        "tool.entries",
        *(
            entry(n, f"{day:%Y-%m-%d}T08:00:00+00:00", f"{day:%Y-%m-%d}T09:00:00+00:00")
            for n, day in enumerate((today - timedelta(days=14), today, ahead))
        ),
    )
    world.build()
    line = _lines(world, "person")[BEN]
    working = [today - timedelta(days=n) for n in range(1, 15)]
    # Ben works from Monday to Thursday
    assert line.due_days == line.missing_days == sum(day.weekday() < 4 for day in working)
    # nothing recorded by anybody since: the API may not have been loaded
    world.change(f"DELETE FROM tool.entries WHERE start >= DATE '{working[-2]:%Y-%m-%d}'")
    world.put(
        "tool.bookings",
        {"id": 1, "user_id": 1, "first": today.date(), "last": ahead.date(), "hours": 1},
    )
    world.build()
    assert _lines(world, "person")[BEN].due_days == (working[-1].weekday() < 4)


def test_two_people_of_one_name_stay_two(world: World) -> None:
    world.change("UPDATE tool.users SET name = 'Ada'")
    world.build()
    assert set(_lines(world, "person")) == {"Ada (ada@studio.example)", "Ada (ben@studio.example)"}


def test_totals_are_unknown_where_a_line_is() -> None:
    known = Line("a", 1, 1, 2, 0, 2, 0, 0, 1)
    assert total([known, known]).available == 4
    assert total([known, Line("b", 1, 1)]).available is None
    money = total(
        [Line("a", 1, 1, amounts=(("EUR", 1.5),)), Line("b", 1, 1, amounts=(("EUR", 2),))]
    )
    assert money.amounts == (("EUR", 3.5),)
