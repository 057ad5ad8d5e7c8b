"""After random edits, moves and deletions, and after killed builds, the model equals the raw rows.

A few here; many with `-m reliability`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours import World
from tests.support.hours_sandbox import loaded_sandbox

SOURCES = {
    "time_tracking.time_tracking_data": (
        "duration",
        "date = date + 1, started_at = started_at + INTERVAL '1 day'",
    ),
    "project_management.entries": ("duration", "time_since = time_since - INTERVAL '30 hours'"),
    "workspace_time.time_entries": ("duration", '"start" = "start" + INTERVAL \'26 hours\''),
    "resource_management.logged_time": ("hours", "date = date - 3"),
    "time_analytics.time_entries": (
        None,
        "time_interval__start = time_interval__start + INTERVAL '50 hours'",
    ),
}
EQUALITY = (
    ("time_entries", "hours_in_equal_hours_out"),
    ("person_days", "hours_equal_entries"),
    ("person_project_weeks", "hours_equal_entries"),
)


def _edit(world: World, dice: random.Random) -> None:
    table = dice.choice(list(SOURCES))
    duration, move = SOURCES[table]
    ids = [row[0] for row in world.rows(f"SELECT id FROM {table} ORDER BY id")]
    chosen = dice.choice(ids)
    row = f"id = {chosen!r}"
    change = dice.choice(["duration", "move", "delete"])
    if change == "delete":
        world.change(f"DELETE FROM {table} WHERE {row}")
    elif change == "move":
        world.change(f"UPDATE {table} SET {move} WHERE {row}")
    elif duration:
        world.change(f"UPDATE {table} SET {duration} = {dice.randint(1, 30)} WHERE {row}")
    else:
        text = f"PT{dice.randint(0, 5)}H{dice.randint(0, 59)}M{dice.randint(0, 59)}S"
        world.change(f"UPDATE {table} SET time_interval__duration = '{text}' WHERE {row}")


def _assert_equal(world: World) -> None:
    for check in EQUALITY:
        finding = world.finding(*check)
        assert finding.count == 0, (check, finding.rows)


def _edits(world: World, dice: random.Random, edits: int, at_once: int) -> None:
    world.build()
    for _ in range(edits // at_once):
        for _ in range(at_once):
            _edit(world, dice)
        report = world.build()
        assert report.kept_back == {}
        # an edit is of one day, or of two
        assert report.tables["time_entries"].parts_replaced <= 2 * at_once
    _assert_equal(world)


@pytest.fixture(scope="module")
def world(
    new_warehouse: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with loaded_sandbox(new_warehouse(tmp_path_factory.mktemp("hours"))) as loaded:
        yield loaded.world()


@pytest.mark.timeout(900)
def test_after_edits(world: World, thorough: bool) -> None:
    edits, at_once = (200, 10) if thorough else (12, 6)
    _edits(world, random.Random(16), edits, at_once)


def _state(world: World) -> list[Any]:
    tables = {"time_entries": "seconds", "person_days": "worked_seconds"}
    return [
        world.rows(f"SELECT count(*), sum({seconds}) FROM hours.{table}")
        for table, seconds in tables.items()
    ]


def _build(world: World) -> None:
    world.build()


def _killed(world: World, dice: random.Random, kills: int) -> None:
    world.build()
    context = multiprocessing.get_context("spawn")
    for _ in range(kills):
        old = _state(world)
        world.change("UPDATE time_tracking.time_tracking_data SET duration = duration + 1")
        # another process opens it for itself
        unopened = replace(world, warehouse=replace(world.warehouse))
        process = context.Process(target=_build, args=(unopened,))
        process.start()
        # starting takes longer than building does
        time.sleep(dice.uniform(0.5, 6))
        if process.is_alive() and process.pid:
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        left = _state(world)
        world.build()
        assert left in (old, _state(world))
        _assert_equal(world)


@pytest.mark.timeout(900)
def test_after_killed_builds(world: World, thorough: bool) -> None:
    _killed(world, random.Random(5), kills=20 if thorough else 1)
