"""After random edits, moves and deletions, and after killed builds, the model equals the raw rows:
each entry of all five APIs, to the second.

A few here; 200 edits and 20 kills with `-m reliability`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours import World
from tests.support.hours_sandbox import loaded_sandbox
from timetracking_assets.warehouse.destination import OpenDestination
from timetracking_assets.warehouse.open_duckdb import OpenDuckDB

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


def _iso8601_seconds(text: str) -> int:
    [parts] = re.findall(r"^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$", text)
    hours, minutes, seconds = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds


_SECONDS: dict[str, tuple[str, Callable[[Any], int]]] = {
    "time_tracking.time_tracking_data": ("duration", int),
    "project_management.entries": ("duration", int),
    "workspace_time.time_entries": ("duration", int),
    "resource_management.logged_time": ("hours", lambda hours: round(hours * 3600)),
    "time_analytics.time_entries": ("time_interval__duration", _iso8601_seconds),
}


def _raw(world: World) -> dict[tuple[str, str], int]:
    """Source and id -> seconds, as the raw tables have them; computed here, not in SQL."""
    return {
        (table.split(".")[0], str(key)): seconds(value)
        for table, (column, seconds) in _SECONDS.items()
        for key, value in world.rows(f"SELECT id, {column} FROM {table}")
    }


def _assert_equal(world: World) -> None:
    rows = world.rows("SELECT source, source_id, seconds FROM hours.time_entries")
    unified = {(source, key): int(seconds) for source, key, seconds in rows}
    assert len(unified) == len(rows)
    assert unified == _raw(world)
    for table in ("person_days", "person_project_weeks"):
        [[worked]] = world.rows(f"SELECT sum(worked_seconds) FROM hours.{table}")
        assert int(worked) == sum(unified.values()), table
    for check in EQUALITY:
        finding = world.finding(*check)
        assert finding.count == 0, (check, finding.rows)


def _edits(world: World, dice: random.Random, edits: int, at_once: int) -> None:
    world.build()
    _assert_equal(world)
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


@pytest.mark.timeout(1800)
def test_after_edits(world: World, thorough: bool) -> None:
    edits, at_once = (200, 10) if thorough else (12, 6)
    _edits(world, random.Random(16), edits, at_once)


def _state(world: World) -> list[Any]:
    tables = {
        "time_entries": "seconds",
        "person_days": "worked_seconds",
        "person_project_weeks": "worked_seconds",
    }
    return [
        world.rows(f"SELECT count(*), sum({seconds}) FROM hours.{table}")
        for table, seconds in tables.items()
    ]


def _count_statements(dies_at: int | None = None) -> list[str]:
    """The statements of this process from now on, or its death at one of them."""
    seen: list[str] = []
    for kind in (OpenDuckDB, OpenDestination):
        for name in ("rows", "change"):
            execute = getattr(kind, name)

            def counted(self: Any, sql: str, execute: Callable[..., Any] = execute) -> Any:
                seen.append(sql)
                if len(seen) == dies_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return execute(self, sql)

            setattr(kind, name, counted)
    return seen


def _build(world: World, begun: Any, statements: Any, dies_at: int | None) -> None:
    seen = _count_statements(dies_at)
    begun.set()
    world.build()
    statements.value = len(seen)


def _killed(world: World, dice: random.Random, kills: int) -> list[str]:
    """What each kill left: the old model, or the new one. Every second kill is at a statement, the
    others at a moment."""
    world.build()
    context = multiprocessing.get_context("spawn")
    statements = context.Value("i", 0)

    def start(dies_at: int | None = None) -> Any:
        begun = context.Event()
        # another process opens it for itself
        unopened = replace(world, warehouse=replace(world.warehouse))
        process = context.Process(target=_build, args=(unopened, begun, statements, dies_at))
        process.start()
        assert begun.wait(120)
        return process

    for _ in range(3):
        _edit(world, dice)
    process = start()
    began = time.monotonic()
    process.join()
    seconds, last = time.monotonic() - began, statements.value
    assert last > 0
    left_behind: list[str] = []
    for number in range(kills):
        old = _state(world)
        for _ in range(3):
            _edit(world, dice)
        # an edit that leaves a build something to do, whatever the dice say
        world.change("UPDATE time_tracking.time_tracking_data SET duration = duration + 1")
        at_statement = number % 2 == 0
        process = start(dice.randint(1, last) if at_statement else None)
        if not at_statement:
            time.sleep(dice.uniform(0, seconds))
            process.kill()
        process.join(120)
        assert not at_statement or process.exitcode == -signal.SIGKILL
        left = _state(world)
        world.build()
        _assert_equal(world)
        new = _state(world)
        assert left in (old, new)
        left_behind.append("old" if left == old else "new")
    return left_behind


@pytest.mark.timeout(1800)
def test_after_killed_builds(world: World, thorough: bool) -> None:
    left_behind = _killed(world, random.Random(5), kills=20 if thorough else 1)
    print({state: left_behind.count(state) for state in ("old", "new")})
    assert "old" in left_behind
