"""Rows are removed only if they are gone, not if a list hid them that shifted while it was read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.removal import MOST_READINGS
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window
from timetracking_assets.orchestration.checks.load_facts import LoadFacts
from timetracking_assets.orchestration.checks.reconciliation import differences
from timetracking_assets.warehouse.base import Warehouse

if TYPE_CHECKING:
    from tests.support.stub_api import Stub
    from timetracking_assets.spec.api import Api

SIZE, PAGES = 10, 3
DAY = Window.of_days(date(2026, 1, 2), date(2026, 1, 3))
BY_DAY: dict[str, Any] = {
    "sync_mode": "window",
    "partitions": {"type": "daily", "start": "2026-01-01"},
    "window": {"field": "at", "start_param": "from", "end_param": "to"},
}
COLUMNS = {
    "id": {"data_type": "bigint", "nullable": False},
    "at": {"data_type": "timestamp", "nullable": False},
}
NUMBERED = {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": None}
PAGED: dict[str, Any] = {"endpoint": {"path": "entries", "paginator": NUMBERED}, "page_size": SIZE}
KEYSET = {"type": "cursor", "cursor_path": "after", "cursor_param": "after"}
BY_CURSOR: dict[str, Any] = {"endpoint": {"path": "entries", "paginator": KEYSET}}
ONE_PAGE: dict[str, Any] = {"endpoint": {"path": "entries"}}
STATED: dict[str, Any] = {**PAGED, "total": {"path": "total"}}


def row(key: int, text: str = "") -> dict[str, Any]:
    return {"id": key, "at": "2026-01-02T08:00:00Z", "text": text}


class Shifting:
    """A list of 25 rows in pages of 10; `edits` are done after the page of that request was made.

    Requests are counted from the beginning of each load.
    """

    def __init__(self, api: Api, stub: Stub, warehouse: Warehouse) -> None:
        self.api, self.stub, self.warehouse = api, stub, warehouse
        self.rows = [row(key) for key in range(1, 26)]
        self.requested: list[dict[str, str]] = []

    def load(
        self, edits: Mapping[int, Callable[[], object]] | None = None, **request: Any
    ) -> LoadReport:
        self.requested = []

        def answer(path: str, _: bytes) -> Any:
            query = {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}
            self.requested.append(query)
            body: dict[str, Any] = {"total": len(self.rows)}
            if "page" not in query:
                later = [r for r in self.rows if r["id"] > int(query.get("after", 0))]
                body["data"] = later[:SIZE]
                body["after"] = later[SIZE - 1]["id"] if len(later) > SIZE else None
            else:
                first = (int(query["page"]) - 1) * SIZE
                body["data"] = self.rows[first : first + SIZE]
            content = json.dumps(body).encode()
            if edits and len(self.requested) in edits:
                edits[len(self.requested)]()
            return 200, {}, content

        self.stub.answers = [answer]
        connection = Connection(self.api, {"HOURS_BASE_URL": self.stub.url})
        resource = self.api.resources["entries"]
        window = DAY if resource.window else None
        report = run_load(LoadRequest(connection, resource, window, **request), self.warehouse)
        assert report.requests.requests == len(self.requested)
        return report

    def delete(self, *keys: int) -> Callable[[], None]:
        def edit() -> None:
            self.rows = [r for r in self.rows if r["id"] not in keys]

        return edit

    def to_front(self, *keys: int) -> Callable[[], None]:
        def edit() -> None:
            first = [r for r in self.rows if r["id"] in keys]
            self.rows = first + [r for r in self.rows if r["id"] not in keys]

        return edit

    def table(self) -> set[int]:
        with self.warehouse.reading("a test") as opened:
            ids = [key for (key,) in opened.rows("SELECT id FROM hours.entries")]
        assert len(ids) == len(set(ids))
        return set(ids)

    @property
    def living(self) -> set[int]:
        return {r["id"] for r in self.rows}


MakeList = Callable[..., Shifting]


@pytest.fixture
def shifting(
    api: Callable[..., Api],
    stub: Stub,
    tmp_path: Path,
    new_warehouse: Callable[[Path], Warehouse],
) -> MakeList:
    def make(**spec: Any) -> Shifting:
        resolved = api({"name": "entries", "columns": COLUMNS, **spec}, concurrency=1)
        return Shifting(resolved, stub, new_warehouse(tmp_path))

    return make


@pytest.mark.parametrize("mode", [{}, BY_DAY])
def test_a_living_row_is_not_removed_by_a_shift(shifting: MakeList, mode: dict[str, Any]) -> None:
    entries = shifting(**PAGED, **mode)
    entries.load()
    # 11 moves to the first page, which has been read
    report = entries.load({1: entries.delete(5)})
    assert entries.living <= entries.table()
    # it was on the first page of the second reading, which ends there
    assert (report.rows_missed, report.confirmation_requests) == (1, 1)
    assert (report.rows_kept, report.changes.deleted) == (0, 0)
    # the row that is gone was alive when its page was read
    assert entries.table() - entries.living == {5}
    report = entries.load()
    assert entries.table() == entries.living
    assert (report.changes.deleted, report.confirmation_requests) == (1, PAGES)


@pytest.mark.parametrize("paging", [PAGED, BY_CURSOR])
def test_what_is_gone_is_removed_after_a_second_reading(
    shifting: MakeList, paging: dict[str, Any]
) -> None:
    entries = shifting(**paging)
    entries.load()
    entries.delete(3, 25)()
    report = entries.load()
    assert entries.table() == entries.living
    assert report.changes.deleted == 2
    assert report.requests.requests == 2 * PAGES
    assert (report.confirmation_requests, report.rows_missed) == (PAGES, 0)


def test_nothing_to_remove_takes_no_further_request(shifting: MakeList) -> None:
    entries = shifting(**PAGED)
    assert entries.load().requests.requests == PAGES
    entries.rows.append(row(26))
    entries.rows[3] = row(4, "edited")
    report = entries.load()
    assert (report.requests.requests, report.confirmation_requests) == (PAGES, 0)
    assert entries.table() == entries.living


@pytest.mark.parametrize(
    "spec",
    [
        ONE_PAGE,
        STATED,
        {**PAGED, "confirm_removal": "never"},
        {**PAGED, **BY_DAY, "sync_mode": "changes"},
    ],
)
def test_where_nothing_can_be_hidden_or_removed_no_list_is_read_again(
    shifting: MakeList, spec: dict[str, Any]
) -> None:
    entries = shifting(**spec)
    entries.rows = entries.rows[: SIZE if spec is ONE_PAGE else None]
    entries.load()
    before = len(entries.requested)
    entries.delete(3)()
    report = entries.load()
    assert (report.requests.requests, report.confirmation_requests) == (before, 0)
    assert entries.living <= entries.table()


def test_a_row_that_comes_as_another_goes_is_confirmed_where_that_is_declared(
    shifting: MakeList,
) -> None:
    """The total stays the same: only `always` excludes it."""
    entries = shifting(**STATED, confirm_removal="always")
    entries.load()

    def exchange() -> None:
        entries.delete(5)()
        entries.rows.append(row(26))

    report = entries.load({1: exchange})
    assert entries.living <= entries.table()
    assert report.rows_missed == 1


def test_a_row_that_changes_its_place_is_not_removed(shifting: MakeList) -> None:
    """A list that begins with what changed last: its total is the same all the while."""
    entries = shifting(**STATED)
    entries.load()
    report = entries.load({1: entries.to_front(25)})
    assert entries.table() == entries.living
    assert (report.rows_missed, report.changes.deleted) == (1, 0)


@pytest.mark.parametrize("unit", ["pages", "remaining"])
def test_a_total_of_another_unit_excludes_no_shift(shifting: MakeList, unit: str) -> None:
    entries = shifting(**PAGED, total={"path": "total", "unit": unit})
    entries.load()
    entries.load({1: entries.delete(5)})
    assert entries.living <= entries.table()


def test_a_list_that_shrinks_is_read_again_in_the_same_load(shifting: MakeList) -> None:
    entries = shifting(**STATED)
    entries.load()
    report = entries.load({1: entries.delete(5)})
    assert entries.table() == entries.living
    assert (report.times_shifted, report.requests.requests) == (1, 2 * PAGES)


def test_a_list_that_shrinks_each_time_changes_nothing(shifting: MakeList) -> None:
    entries = shifting(**STATED)
    entries.rows = [row(key) for key in range(1, 30)]
    entries.load()
    edits = {1 + PAGES * n: entries.delete(n + 1) for n in range(9)}
    with pytest.raises(AnswerError, match="load again") as refused:
        entries.load(edits)
    assert refused.value.transient
    assert len(entries.requested) == 4 * PAGES
    assert entries.table() == set(range(1, 30))


def test_a_list_that_shifts_each_time_removes_nothing_and_says_so(shifting: MakeList) -> None:
    """Each reading hides a row that the one before it had, and shows one that it had not."""
    entries = shifting(**PAGED)
    entries.rows = [row(key) for key in range(1, 30)]
    entries.load()
    entries.rows[7] = row(8, "edited")
    # never seen again
    entries.delete(29)()
    # on page 3 when page 1 is read, on page 1 when page 3 is read
    edits = {1: entries.to_front(23, 24, 25, 26)}
    for reading, key in enumerate((26, 25, 24)):
        hidden = [k for k in (23, 24, 25, 26) if k < key]
        # behind what was read, but for one
        edits[(reading + 1) * PAGES] = to_end(entries, hidden)
        edits[(reading + 1) * PAGES + 1] = entries.to_front(*hidden)
    messages: list[str] = []
    report = entries.load(edits, log=messages.append)
    assert report.rows_kept == 2
    assert report.rows_missed == MOST_READINGS
    assert report.confirmation_requests == MOST_READINGS * PAGES
    assert entries.table() == entries.living | {29}
    assert report.changes.updated == 1
    assert any("2 rows of the table are not in the answer, but stay" in w for w in report.warnings)
    facts = LoadFacts.of_report(report)
    [difference] = differences(report.resource, facts, facts.rows_in_scope)
    assert "2 rows" in difference
    assert "not confirmed" in difference
    entries.load()
    assert entries.table() == entries.living


def to_end(entries: Shifting, keys: list[int]) -> Callable[[], None]:
    def edit() -> None:
        last = [r for r in entries.rows if r["id"] in keys]
        entries.rows = [r for r in entries.rows if r["id"] not in keys] + last

    return edit


def test_without_a_key_two_readings_must_agree(shifting: MakeList) -> None:
    entries = shifting(**PAGED, primary_key=[])
    entries.load()
    # the first reading lacks 11, the second and third are the same
    report = entries.load({1: entries.delete(5)})
    assert entries.table() == entries.living
    assert report.confirmation_requests == 2 * PAGES
    entries.delete(7)()
    report = entries.load()
    assert entries.table() == entries.living
    assert (report.changes.deleted, report.confirmation_requests) == (1, PAGES)


def test_without_a_key_a_list_that_never_agrees_changes_nothing(shifting: MakeList) -> None:
    entries = shifting(**PAGED, primary_key=[])
    entries.load()
    edits = {1 + PAGES * n: entries.delete(n + 1) for n in range(9)}
    with pytest.raises(AnswerError, match="declare a `primary_key`") as refused:
        entries.load(edits)
    assert refused.value.transient
    assert len(entries.requested) == PAGES * (1 + MOST_READINGS)
    assert entries.table() == set(range(1, 26))


def test_types_that_widen_in_the_second_reading(shifting: MakeList) -> None:
    entries = shifting(**PAGED)
    entries.rows = [{**row(key), "n": 1} for key in range(1, 26)]
    entries.load()

    def edit() -> None:
        entries.delete(5)()
        for one in entries.rows:
            if one["id"] == 11:
                one["n"] = 1.5

    report = entries.load({1: edit})
    assert report.rows_missed == 1
    assert entries.living <= entries.table()
    assert report.column_types["n"] == "double"
    with entries.warehouse.reading("a test") as opened:
        assert opened.rows("SELECT n FROM hours.entries WHERE id IN (1, 11) ORDER BY id") == [
            (1,),
            (1.5,),
        ]
