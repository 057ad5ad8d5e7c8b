"""Loads that overlap take effect in the order in which they asked, whichever is written first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from timetracking_assets.errors import OvertakenError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window
from timetracking_assets.warehouse.base import Warehouse

if TYPE_CHECKING:
    from tests.unit.conftest import Stub
    from timetracking_assets.spec.api import Api

BY_DAY: dict[str, Any] = {
    "partitions": {"type": "daily", "start": "2026-01-01"},
    "window": {"field": "at", "start_param": "from", "end_param": "to"},
}
COLUMNS = {
    "id": {"data_type": "bigint", "nullable": False},
    "at": {"data_type": "timestamp", "nullable": False},
}
MODES: dict[str, dict[str, Any]] = {"snapshot": {}, "window": BY_DAY, "changes": BY_DAY}
FIRST, SECOND = date(2026, 1, 2), date(2026, 1, 3)
DAY = Window.of_days(FIRST, SECOND)
NEXT_DAY = Window.of_days(SECOND, date(2026, 1, 4))
BOTH_DAYS = Window.of_days(FIRST, date(2026, 1, 4))
MORNING, NEXT_MORNING = "2026-01-02T08:00:00Z", "2026-01-03T08:00:00Z"


class Race:
    """An API whose answer takes so long that other loads come and go meanwhile."""

    def __init__(self, api: Api, stub: Stub, warehouse: Warehouse) -> None:
        self.api, self.stub, self.warehouse = api, stub, warehouse
        self.rows: list[Mapping[str, Any]] = []
        self.messages: list[str] = []

    def load(
        self, window: Window | None, meanwhile: Callable[[], object] | None = None, times: int = 1
    ) -> LoadReport:
        """Load; `meanwhile` is done `times` times, each after an answer was made, before it is
        sent."""
        left = times if meanwhile else 0

        def answer(path: str, body: bytes) -> Any:
            nonlocal left
            content = json.dumps({"data": self.rows}).encode()
            if left and meanwhile:
                left -= 1
                meanwhile()
                self.stub.answers = [answer]
            return 200, {}, content

        self.stub.answers = [answer]
        connection = Connection(self.api, {"HOURS_BASE_URL": self.stub.url})
        resource = self.api.resources["entries"]
        request = LoadRequest(connection, resource, window, log=self.messages.append)
        return run_load(request, self.warehouse)

    def table(self) -> list[tuple[Any, ...]]:
        with self.warehouse.reading("a test") as opened:
            return opened.rows("SELECT id, text FROM hours.entries ORDER BY id")

    def notes(self) -> int:
        with self.warehouse.exclusive("a test", dataset="hours") as opened:
            return opened.number("SELECT count(*) FROM hours._load_order WHERE state = 'loaded'")


@pytest.fixture
def race(
    api: Callable[..., Api],
    stub: Stub,
    tmp_path: Path,
    new_warehouse: Callable[[Path], Warehouse],
) -> Callable[[str], Race]:
    def make(mode: str) -> Race:
        resource = {"name": "entries", "endpoint": {"path": "entries"}, "columns": COLUMNS}
        spec = api({**resource, "sync_mode": mode, **MODES[mode]})
        return Race(spec, stub, new_warehouse(tmp_path))

    return make


def row(text: str, at: str = MORNING, key: int = 1) -> dict[str, Any]:
    return {"id": key, "at": at, "text": text}


@pytest.mark.parametrize("mode", MODES)
def test_an_older_answer_does_not_replace_a_newer_one(
    race: Callable[[str], Race], mode: str
) -> None:
    entries = race(mode)
    window = DAY if mode != "snapshot" else None
    entries.rows = [row("old")]
    entries.load(window)

    def load_later() -> None:
        entries.rows = [row("new")]
        entries.load(window)

    report = entries.load(window, meanwhile=load_later)
    assert entries.table() == [(1, "new")]
    assert (report.times_overtaken, report.requests.requests) == (1, 2)
    assert report.requests.requests_in_vain == 1
    assert (report.rows_extracted, report.changes.unchanged) == (1, 1)
    assert "requesting again" in entries.messages[0]
    assert entries.notes() == 1


@pytest.mark.parametrize(("mine", "other"), [(DAY, BOTH_DAYS), (BOTH_DAYS, DAY)])
def test_parts_that_overlap_are_the_same(
    race: Callable[[str], Race], mine: Window, other: Window
) -> None:
    entries = race("window")
    entries.rows = [row("old")]

    def load_later() -> None:
        entries.rows = [row("new")]
        entries.load(other)

    assert entries.load(mine, meanwhile=load_later).times_overtaken == 1
    assert entries.table() == [(1, "new")]


@pytest.mark.parametrize("mode", ["window", "changes"])
def test_a_row_that_has_moved_into_another_part_stays_there(
    race: Callable[[str], Race], mode: str
) -> None:
    entries = race(mode)
    entries.rows = [row("old")]

    def load_later() -> None:
        entries.rows = [row("moved", NEXT_MORNING)]
        entries.load(NEXT_DAY)
        # what the first day holds now
        entries.rows = []

    assert entries.load(DAY, meanwhile=load_later).times_overtaken == 1
    assert entries.table() == [(1, "moved")]


def test_parts_beside_each_other_do_not_wait_for_each_other(race: Callable[[str], Race]) -> None:
    entries = race("window")
    entries.rows = [row("first")]

    def load_later() -> None:
        entries.rows = [row("second", NEXT_MORNING, key=2)]
        entries.load(NEXT_DAY)

    assert entries.load(DAY, meanwhile=load_later).times_overtaken == 0
    assert entries.table() == [(1, "first"), (2, "second")]
    assert entries.notes() == 2
    entries.load(BOTH_DAYS)
    assert entries.notes() == 1


def test_a_load_that_asked_earlier_and_wrote_first_is_followed(race: Callable[[str], Race]) -> None:
    """Only the answer to the later question is newer: nothing is asked twice."""
    entries = race("snapshot")
    entries.rows = [row("old")]
    asked_later: list[LoadReport] = []

    def ask_later_and_write_last() -> None:
        entries.rows = [row("new")]

    entries.load(None, meanwhile=ask_later_and_write_last)
    asked_later.append(entries.load(None))
    assert asked_later[0].times_overtaken == 0
    assert entries.table() == [(1, "new")]


def test_a_load_that_is_overtaken_again_and_again_gives_up(race: Callable[[str], Race]) -> None:
    entries = race("snapshot")
    count = 0

    def load_later() -> None:
        nonlocal count
        count += 1
        entries.rows = [row(f"new {count}")]
        entries.load(None)

    with pytest.raises(OvertakenError, match="hours/entries: other loads of the same rows"):
        entries.load(None, meanwhile=load_later, times=9)
    assert count == 4
    assert entries.table() == [(1, "new 4")]


def test_an_order_that_somebody_has_removed_begins_again(race: Callable[[str], Race]) -> None:
    entries = race("snapshot")
    entries.rows = [row("old")]
    entries.load(None)

    def remove() -> None:
        with entries.warehouse.exclusive("a test", dataset="hours") as opened:
            opened.change("DROP TABLE hours._load_order")

    entries.rows = [row("new")]
    entries.load(None, meanwhile=remove)
    assert entries.table() == [(1, "new")]
    entries.load(None)
    assert entries.notes() == 1
