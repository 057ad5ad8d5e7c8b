"""The page's sums of the model of hours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.health import large_report
from tests.support.hours import World, entry, tool
from timetracking_assets.health.model_hours import ModelHours, read_model_hours
from timetracking_assets.health.page import render_page


def test_the_page_shows_people_and_weeks(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    world = World.of(new_warehouse(tmp_path), tool())
    with world.opened() as opened:
        assert read_model_hours(opened) == ModelHours()
    world.put("tool.users", {"id": 1, "name": "<b>Ada</b>", "email": "ada@studio.example"})
    world.put(
        "tool.entries",
        entry(1, "2026-03-02T08:00:00+00:00", "2026-03-02T10:00:00+00:00"),
        entry(2, "2026-03-10T08:00:00+00:00", "2026-03-10T09:00:00+00:00", kind="internal"),
    )
    world.build()
    with world.opened() as opened:
        found = read_model_hours(opened)
    assert [line.label for line in found.weeks] == ["2026-03-09", "2026-03-02"]
    page = render_page(large_report(), [], "", model_hours=found)
    assert "People, all APIs and years" in page
    assert "&lt;b&gt;Ada&lt;/b&gt;" in page
    assert "<b>Ada</b>" not in page
    # two of seven working days have an entry
    assert '<td class="n" data-label="Days missing">5</td>' in page
    assert '<td class="n" data-label="Available">56.00</td>' in page
    assert '<td class="n" data-label="Billable of worked">67%</td>' in page
