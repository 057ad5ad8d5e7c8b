"""Hours as they are shown: by week, person, project, client and source; missing timesheets."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from rich.console import Console

from tests.support.hours import World
from timetracking_assets.cli.hours import print_lines, write_csv
from timetracking_assets.errors import WarehouseError
from timetracking_assets.hours.report import Line, Selection, read_lines

ADA, BEN = "Ada (ada@studio.example)", "Ben (ben@studio.example)"


def _lines(world: World, by: Any, **chosen: Any) -> dict[str, Line]:
    with world.opened() as opened:
        return {line.label: line for line in read_lines(opened, by, Selection(**chosen))}


def test_hours_by_all_that_there_is(world: World) -> None:
    leave = {"id": 1, "people": "[2]", "first": "2026-03-03", "last": "2026-03-03", "state": "ok"}
    world.put("tool.leave", leave)
    world.build()
    people = _lines(world, "person")
    # two days, Monday and Tuesday
    assert people[ADA] == Line(ADA, 10800, 7200, 57600, 0, 57600, 0, 0)
    # absent on Tuesday: that timesheet is not missing
    assert people[BEN] == Line(BEN, 1200, 1200, 57600, 28800, 28800, 0, 0)
    assert people[ADA].utilisation == 7200 / 57600
    assert people[ADA].billable_share == 7200 / 10800
    assert list(_lines(world, "week")) == ["2026-03-02"]
    [project] = _lines(world, "project").values()
    assert (project.label, project.worked, project.capacity) == ("Site (tool:7)", 12000, None)
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


def test_csv_and_table(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.change("UPDATE tool.users SET name = '=HYPERLINK(1)' WHERE id = 2")
    world.build()
    lines = list(_lines(world, "person").values())
    write_csv("person", lines)
    head, ada, ben = capsys.readouterr().out.splitlines()
    assert head == (
        "person,planned_seconds,capacity_seconds,absent_seconds,available_seconds,"
        "worked_seconds,billable_seconds,missing_days,amount"
    )
    assert ada == f"{ADA},0,57600,0,57600,10800,7200,0,"
    assert ben.startswith("'=HYPERLINK(1)")
    console = Console(width=160, record=True)
    print_lines("person", lines, console)
    printed = console.export_text()
    assert "billable / available" in printed
    assert "3.33" in printed.splitlines()[-2]
