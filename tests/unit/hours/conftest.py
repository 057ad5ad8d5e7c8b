from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours import World, entry, tool


@pytest.fixture
def world(new_warehouse: Callable[[Path], Any], tmp_path: Path) -> World:
    """Two people, two projects and three entries on two days."""
    world = World.of(new_warehouse(tmp_path), tool(), timezone="Europe/Berlin")
    week = "[0, 8, 8, 4.5, 8, 0, 0]"
    world.put(
        "tool.users",
        {"id": 1, "name": "Ada", "email": " Ada@Studio.example ", "zone": "Europe/Berlin"},
        {"id": 2, "name": "Ben", "email": "ben@studio.example", "week": week},
    )
    world.put(
        "tool.projects",
        {"id": 7, "name": "Site", "client_id": 30, "rate": 100.0},
        {"id": 8, "name": "Shop", "client_id": 31, "rate": None},
    )
    world.put(
        "tool.entries",
        entry(1, "2026-03-02T08:00:00+00:00", "2026-03-02T10:00:00+00:00"),
        entry(2, "2026-03-02T11:00:00+00:00", "2026-03-02T11:20:00+00:00", user_id=2),
        entry(3, "2026-03-03T08:00:00+00:00", "2026-03-03T09:00:00+00:00", kind="internal"),
    )
    world.put("tool.leave")
    world.put("tool.bookings")
    return world
