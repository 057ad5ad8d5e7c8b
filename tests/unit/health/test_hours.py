"""The sums of hours that the page is given: what they come to, and what is said where none are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.health import large_report
from tests.support.hours import World, entry, tool
from timetracking_assets.errors import WarehouseError
from timetracking_assets.health.hours import Hours, read_hours
from timetracking_assets.health.page import HoursPart, render_page
from timetracking_assets.orchestration.hours.age import ModelAge


@pytest.fixture
def world(new_warehouse: Callable[[Path], Any], tmp_path: Path) -> World:
    """Two people of one name, one entry that names nobody, and two weeks."""
    world = World.of(new_warehouse(tmp_path), tool())
    world.put(
        "tool.users",
        {"id": 1, "name": "<b>Ada</b>", "email": "ada@studio.example"},
        {"id": 2, "name": "<b>Ada</b>", "email": None},
    )
    world.put("tool.projects", {"id": 7, "name": "Site", "client_id": 30, "rate": 100.0})
    world.put(
        "tool.entries",
        entry(1, "2026-03-02T08:00:00+00:00", "2026-03-02T10:00:00+00:00"),
        entry(2, "2026-03-10T08:00:00+00:00", "2026-03-10T09:00:00+00:00", kind="internal"),
        entry(3, "2026-03-10T08:00:00+00:00", "2026-03-10T08:30:00+00:00", user_id=None),
    )
    return world


def _read(world: World) -> Hours:
    with world.opened() as opened:
        return read_hours(opened)


def test_all_weeks_are_read_with_the_names_of_all_keys(world: World) -> None:
    with pytest.raises(WarehouseError, match="has not been built yet"):
        _read(world)
    world.build()
    hours = _read(world)
    assert hours.weeks == (date(2026, 3, 2), date(2026, 3, 9))
    assert hours.last_due == date(2026, 3, 10)
    assert hours.names is not None
    people = dict(hours.names["person"])
    # one name, two people: the key tells them apart
    assert people == {
        "ada@studio.example": "<b>Ada</b> (ada@studio.example)",
        "tool:2": "<b>Ada</b> (tool:2)",
        "-": "(none)",
    }
    assert hours.names["project"] == (("tool:7", "Site"),)
    assert hours.names["source"] == (("tool", "tool"),)
    numbers = {key: number for number, (key, _) in enumerate(hours.names["person"])}
    days = {row[:2]: row[2:] for row in hours.days}
    # worked on one of five days, then on one of two
    assert days[0, numbers["ada@studio.example"]] == (0, 0, 144000, 7200, 7200, 4, 5)
    assert days[1, numbers["ada@studio.example"]] == (0, 0, 57600, 3600, 0, 1, 2)
    assert days[1, numbers["-"]] == (0, 0, 0, 1800, 1800, 0, 0)
    assert sum(row[5] for row in hours.work) == sum(row[5] for row in hours.days) == 12600
    assert sorted(row[8] for row in hours.work) == [0, 50, 200]
    assert hours.currencies == ("EUR",)


def test_names_are_text_and_never_markup(world: World) -> None:
    world.build()
    page = render_page(large_report(), HoursPart(_read(world)), "")
    assert "<b>Ada" not in page
    assert "\\u003cb\\u003eAda" in page


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (HoursPart(), "This project has no model of hours"),
        (HoursPart(age=ModelAge(exists=True)), "There are no hours yet"),
        (HoursPart(problem="the <i>model</i> has not been built yet"), "the &lt;i&gt;model"),
        (HoursPart(Hours()), "The model of hours is empty"),
    ],
)
def test_a_page_without_hours_says_why(part: HoursPart, words: str) -> None:
    page = render_page(large_report(), part, "")
    assert words in page
    assert 'id="hours-data"' not in page


def test_the_page_says_that_its_hours_are_old(world: World) -> None:
    world.build()
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    age = ModelAge(True, at, ("tool/entries",), ("other",))
    page = render_page(large_report(), HoursPart(_read(world), age), "")
    assert "These hours are of 2026-03-10 12:00 UTC" in page
    assert "tool/entries" in page
    assert "never loaded: other" in page
