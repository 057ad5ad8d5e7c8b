"""The first load of a table: appended where that is one statement, merged where it isn't."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.stub_api import Stub
from timetracking_assets.ingest.columns import page_typer
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load import answer
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Api
from timetracking_assets.warehouse.base import Warehouse, staging_dataset

Row = dict[str, Any]
COLUMNS = {"id": {"data_type": "bigint", "nullable": False}}
BY_DAY: dict[str, Any] = {
    "partitions": {"type": "daily", "start": "2026-01-01"},
    "window": {"field": "at", "start_param": "from", "end_param": "to"},
    "columns": {"at": {"data_type": "timestamp", "nullable": False}},
}
DAY = Window.of_days(date(2026, 1, 2), date(2026, 1, 3))


class Entries:
    """A list of two pages, each of them a table of Arrow's of its own."""

    def __init__(self, api: Api, stub: Stub, warehouse: Warehouse) -> None:
        self.api, self.stub, self.warehouse = api, stub, warehouse

    def load(self, *pages: list[Row], meanwhile: Callable[[], object] = lambda: None) -> LoadReport:
        """Load once; `meanwhile` is done before the first answer."""
        numbers = count()

        def page(path: str, body: bytes) -> Any:
            number = next(numbers) % len(pages)
            if number == 0:
                meanwhile()
            reported = {"data": pages[number], "more": number + 1 < len(pages)}
            return 200, {}, json.dumps(reported).encode()

        self.stub.answers = [page]
        connection = Connection(self.api, {"HOURS_BASE_URL": self.stub.url})
        resource = self.api.resources["entries"]
        window = DAY if resource.window else None
        return run_load(LoadRequest(connection, resource, window), self.warehouse)

    def rows(self, columns: str = "id") -> list[tuple[Any, ...]]:
        with self.warehouse.reading("a test") as opened:
            return opened.rows(f"SELECT {columns} FROM hours.entries ORDER BY id")

    def drop(self) -> None:
        with self.warehouse.exclusive("a test", dataset="hours") as opened:
            opened.change("DROP TABLE hours.entries")

    @property
    def was_staged(self) -> bool:
        """Whether a load has been merged: dlt leaves what it staged until the next one."""
        with self.warehouse.exclusive("a test", dataset="hours") as opened:
            return bool(opened.column_types(staging_dataset("hours"), "entries"))


MakeEntries = Callable[..., Entries]


@pytest.fixture
def entries(
    api: Callable[..., Api],
    stub: Stub,
    tmp_path: Path,
    new_warehouse: Callable[[Path], Warehouse],
    monkeypatch: pytest.MonkeyPatch,
) -> MakeEntries:
    monkeypatch.setattr(page_typer, "_BATCH_ROWS", 1)
    monkeypatch.setattr(answer.in_batches, "__defaults__", (1, 1))

    def make(**spec: Any) -> Entries:
        columns = {**COLUMNS, **spec.pop("columns", {})}
        paginator = {"type": "page_number", "base_page": 1, "has_more_path": "more"}
        paginator |= {"page_param": "page", "total_path": None}
        endpoint = {"path": "entries", "paginator": paginator}
        resource = {"name": "entries", "endpoint": endpoint, "columns": columns, **spec}
        return Entries(api(resource), stub, new_warehouse(tmp_path))

    return make


def test_it_goes_straight_into_the_table_and_the_next_is_merged(
    entries: MakeEntries,
) -> None:
    table = entries()
    changes = table.load([{"id": 1}], [{"id": 2}]).changes
    assert (changes.inserted, changes.rows_before, changes.row_count) == (2, 0, 2)
    assert table.rows() == [(1,), (2,)]
    assert not table.was_staged

    changes = table.load([{"id": 2}], [{"id": 3}]).changes
    assert (changes.inserted, changes.unchanged, changes.deleted) == (1, 1, 1)
    assert table.rows() == [(2,), (3,)]
    assert table.was_staged


def test_an_empty_answer_is_a_first_load(entries: MakeEntries) -> None:
    table = entries()
    assert table.load([]).changes.row_count == 0
    assert table.rows() == []
    table.load([{"id": 1}])
    assert table.rows() == [(1,)]


def test_keys_that_come_twice_are_dropped_all_the_same(entries: MakeEntries) -> None:
    table = entries(columns={"note": {"data_type": "text"}})
    changes = table.load(
        [{"id": 1, "note": "a"}, {"id": 2}, {"id": 1, "note": "b"}], [{"id": 1, "note": "c"}]
    ).changes
    assert (changes.rows, changes.distinct_keys, changes.row_count) == (4, 2, 2)
    assert table.rows("id, note") == [(1, "c"), (2, None)]
    assert not table.was_staged


def test_a_column_that_comes_later_is_merged(entries: MakeEntries) -> None:
    """dlt writes another file for it, and would append each in a transaction of its own."""
    table = entries()
    report = table.load([{"id": 1}], [{"id": 2, "note": "new"}])
    assert report.changes.row_count == 2
    assert table.rows("id, note") == [(1, None), (2, "new")]
    assert table.was_staged
    assert len(table.stub.paths) == 2


def test_files_that_dlt_cuts_are_merged(
    entries: MakeEntries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_WRITER__FILE_MAX_ITEMS", "1")
    monkeypatch.setenv("DATA_WRITER__BUFFER_MAX_ITEMS", "1")
    table = entries()
    assert table.load([{"id": 1}], [{"id": 2}]).changes.row_count == 2
    assert table.rows() == [(1,), (2,)]
    assert table.was_staged


def test_another_first_load_meanwhile_doubles_nothing(
    entries: MakeEntries, other_stub: Stub
) -> None:
    table = entries()
    other = Entries(table.api, other_stub, table.warehouse)
    asked = 0

    def load_too() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            other.load([{"id": 1}], [{"id": 7}])

    changes = table.load([{"id": 1}], [{"id": 2}], meanwhile=load_too).changes
    assert (changes.inserted, changes.unchanged, changes.deleted) == (1, 1, 1)
    assert table.rows() == [(1,), (2,)]
    # again, since the other load asked later, and once more before its row is removed
    assert asked == 3


def test_rows_that_may_be_marked_as_deleted_are_merged(entries: MakeEntries) -> None:
    table = entries(columns={"gone": {"data_type": "bool"}}, deleted_field="gone")
    table.load([{"id": 1, "gone": False}, {"id": 2, "gone": True}])
    assert table.rows() == [(1,)]


def test_a_table_that_was_dropped_begins_again(entries: MakeEntries) -> None:
    table = entries()
    table.load([{"id": 1}])
    table.load([{"id": 1}], [{"id": 2}])
    table.drop()
    assert table.load([{"id": 3}], [{"id": 4}]).changes.inserted == 2
    assert table.rows() == [(3,), (4,)]


@pytest.mark.parametrize("loads", [1, 2])
def test_a_table_that_was_dropped_may_come_back_as_it_was(entries: MakeEntries, loads: int) -> None:
    """dlt remembers having made it, and would not make it again."""
    table = entries()
    for _ in range(2):
        for _ in range(loads):
            table.load([{"id": 1}])
        assert table.rows() == [(1,)]
        table.drop()
    assert table.load([{"id": 1}], [{"id": 2}]).changes.inserted == 2
    assert table.rows() == [(1,), (2,)]


def test_a_table_that_was_dropped_may_come_back_with_other_types(entries: MakeEntries) -> None:
    """What was staged for the old one has the old types."""
    table = entries()
    table.load([{"id": 1, "note": 1, "old": True}])
    table.load([{"id": 1, "note": 2, "old": True}])
    table.drop()
    table.load([{"id": 1, "note": "a"}])
    changes = table.load([{"id": 1, "note": "b"}]).changes
    assert (changes.updated, changes.rows_before) == (1, 1)
    assert table.rows("*") == [(1, "b")]


def test_a_dropped_table_that_another_load_made_meanwhile_stays(
    entries: MakeEntries, other_stub: Stub
) -> None:
    table = entries(sync_mode="changes", **BY_DAY)
    other = Entries(table.api, other_stub, table.warehouse)
    at = "2026-01-02T08:00:00Z"
    table.load([{"id": 1, "at": at}])
    table.drop()
    asked = 0

    def load_too() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            other.load([{"id": 7, "at": at}])

    table.load([{"id": 1, "at": at}], meanwhile=load_too)
    assert table.rows() == [(1,), (7,)]
    assert asked == 2
