"""A build of the whole model, whatever the APIs have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.hours import BOOKINGS, LEAVE, World, tool


def test_an_api_that_is_not_there_gives_an_empty_model(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    world = World.of(new_warehouse(tmp_path), tool())
    report = world.build()
    assert {name: table.rows for name, table in report.tables.items() if table.rows} == {}
    assert not any(finding.count for finding in report.findings.values())


def test_apis_without_time_entries(new_warehouse: Callable[[Path], Any], tmp_path: Path) -> None:
    world = World.of(new_warehouse(tmp_path), tool("tool", LEAVE, BOOKINGS))
    world.put("tool.bookings", {"id": 1, "user_id": 1, "first": "2026-03-02", "hours": 1.0})
    assert world.build().tables["plans"].rows == 1
