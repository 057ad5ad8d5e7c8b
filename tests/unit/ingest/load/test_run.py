"""Whole loads from a stub: what becomes of a table, load after load."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dlt.common.configuration.utils import get_resolved_traces

from timetracking_assets.errors import IngestError, SpecError
from timetracking_assets.ingest.columns import page_typer
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load import merge
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window
from timetracking_assets.orchestration.checks.load_facts import load_metadata
from timetracking_assets.spec.api import Api
from timetracking_assets.warehouse.base import Warehouse, quoted

if TYPE_CHECKING:
    from tests.support.stub_api import Stub

DAY = Window.of_days(date(2026, 1, 2), date(2026, 1, 3))
BY_DAY: dict[str, Any] = {
    "partitions": {"type": "daily", "start": "2026-01-01"},
    "window": {"field": "at", "start_param": "from", "end_param": "to"},
}
AT = {"data_type": "timestamp", "nullable": False}
ID = {"data_type": "bigint", "nullable": False}


class Table:
    """One resource of an API, loaded from what a test answers."""

    def __init__(
        self, api: Callable[..., Api], stub: Stub, warehouse: Warehouse, **spec: Any
    ) -> None:
        columns = {"id": ID, "at": AT, **spec.pop("columns", {})}
        columns = {name: column for name, column in columns.items() if column}
        self.api = api(
            {"name": "entries", "endpoint": {"path": "entries"}, "columns": columns, **spec}
        )
        self.stub, self.warehouse = stub, warehouse

    def load(self, *rows: Any, listed: list[Any] | None = None, **request: Any) -> LoadReport:
        """Load once; `listed` is what the endpoint of deleted ids answers."""

        def answer(path: str, body: bytes) -> Any:
            found = listed if "deleted" in path else rows
            return 200, {}, json.dumps({"data": list(found or [])}).encode()

        return self.load_from(answer, **request)

    def load_from(self, answer: Any, window: Window | None = None, **request: Any) -> LoadReport:
        self.stub.answers = [answer]
        connection = Connection(self.api, {"HOURS_BASE_URL": self.stub.url})
        asked = LoadRequest(connection, self.api.resources["entries"], window, **request)
        return run_load(asked, self.warehouse)

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        with self.warehouse.reading("a test") as opened:
            return opened.rows(f"SELECT {columns} FROM hours.entries ORDER BY id")


MakeTable = Callable[..., Table]


@pytest.fixture
def table(
    api: Callable[..., Api],
    stub: Stub,
    tmp_path: Path,
    new_warehouse: Callable[[Path], Warehouse],
) -> MakeTable:
    # one for all tables of a test: some declare another file for the same one
    warehouse = new_warehouse(tmp_path)
    return lambda **spec: Table(api, stub, warehouse, **spec)


def row(key: Any, **more: Any) -> dict[str, Any]:
    return {"id": key, "at": "2026-01-02T08:00:00Z", **more}


MODES = {"snapshot": {}, "window": BY_DAY, "changes": BY_DAY}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mark", [{"data_type": "timestamp"}, {"data_type": "bool"}])
def test_rows_that_are_marked_as_deleted_are_removed(
    table: MakeTable, mode: str, mark: dict[str, Any]
) -> None:
    entries = table(sync_mode=mode, deleted_field="gone", columns={"gone": mark}, **MODES[mode])
    window = None if mode == "snapshot" else DAY
    alive, dead = {"timestamp": (None, "2026-01-05T00:00:00Z"), "bool": (False, True)}[
        mark["data_type"]
    ]
    entries.load(*(row(n, gone=alive) for n in (1, 2, 3)), window=window)
    report = entries.load(
        row(1, gone=alive), row(2, gone=dead), row(3, gone=alive), row(4, gone=dead), window=window
    )
    assert entries.rows("id") == [(1,), (3,)]
    changes = report.changes
    assert (changes.deleted, changes.marked, changes.distinct_keys, changes.keys_held) == (
        1,
        2,
        2,
        2,
    )
    assert (changes.unchanged, changes.inserted, changes.updated) == (2, 0, 0)


@pytest.mark.parametrize("ids", [[2, 9], [{"id": 2, "kind": "entry"}, {"id": 9}]])
def test_ids_that_are_listed_as_deleted_are_removed(table: MakeTable, ids: list[Any]) -> None:
    """2 is known, 9 was never here."""
    endpoint = {"path": "deleted", "data_selector": "data", "paginator": "single_page"}
    entries = table(
        sync_mode="changes",
        deleted_ids={"endpoint": endpoint, "start_param": "deleted_since"},
        **BY_DAY,
    )
    assert entries.load(row(1), row(2), row(3), window=DAY).changes.inserted == 3
    report = entries.load(row(3, text="changed"), listed=ids, window=DAY)
    assert entries.rows("id, text") == [(1, None), (3, "changed")]
    changes = report.changes
    assert (changes.deleted, changes.updated, changes.distinct_keys) == (1, 1, 1)
    asked = [urlsplit(path) for path in entries.stub.paths if "deleted" in path]
    assert parse_qs(asked[-1].query) == {"deleted_since": ["2026-01-02T00:00:00Z"]}


def test_a_row_that_the_answer_holds_is_alive_whatever_is_listed(table: MakeTable) -> None:
    endpoint = {"path": "deleted", "data_selector": "data", "paginator": "single_page"}
    entries = table(sync_mode="changes", deleted_ids={"endpoint": endpoint}, **BY_DAY)
    entries.load(row(1), row(2), window=DAY)
    assert entries.load(row(2), listed=[1, 2], window=DAY).changes.deleted == 1
    assert entries.rows("id") == [(2,)]


def test_only_deletions(table: MakeTable) -> None:
    endpoint = {"path": "deleted", "data_selector": "data", "paginator": "single_page"}
    entries = table(sync_mode="changes", deleted_ids={"endpoint": endpoint}, **BY_DAY)
    entries.load(row(1), row(2), window=DAY)
    entries.load(listed=[2], window=DAY)
    assert entries.rows("id") == [(1,)]
    entries.load(listed=[], window=DAY)
    assert entries.rows("id") == [(1,)]


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (["x"], "lists an id that is no bigint, as `id` is"),
        ([{"key": 1}], "lists a deleted row without `id`"),
    ],
)
def test_a_list_of_deleted_ids_that_makes_no_sense(
    table: MakeTable, listed: list[Any], message: str
) -> None:
    endpoint = {"path": "deleted", "data_selector": "data", "paginator": "single_page"}
    entries = table(sync_mode="changes", deleted_ids={"endpoint": endpoint}, **BY_DAY)
    entries.load(row(1), window=DAY)
    with pytest.raises(IngestError, match=message):
        entries.load(row(2), listed=listed, window=DAY)
    assert entries.rows("id") == [(1,)]


def test_the_guard_has_a_share_of_its_own(table: MakeTable) -> None:
    entries = table(max_removed_share=0.5)
    entries.load(*map(row, range(30)))
    entries.load(*map(row, range(15)))
    entries.load(*map(row, range(22)))
    with pytest.raises(IngestError, match=r"remove 12 of 22 rows, more than 50%"):
        entries.load(*map(row, range(10)))
    assert len(entries.rows("id")) == 22
    entries.load(*map(row, range(10)), allow_removal=True)
    assert len(entries.rows("id")) == 10


def test_an_answer_that_is_cut_off_is_asked_for_in_parts(table: MakeTable) -> None:
    entries = table(
        sync_mode="window",
        max_rows_per_answer=3,
        page_size=2,
        **BY_DAY,
        endpoint={"path": "entries", "paginator": {"type": "page_number", "total_path": None}},
    )
    held = [{"id": n, "at": f"2026-01-02T{n:02d}:00:00Z"} for n in range(1, 12)]

    def capped(path: str, body: bytes) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        # the end is included, as some APIs have it
        inside = [r for r in held if query["from"] <= str(r["at"]) <= query["to"]][:3]
        first = int(query["page"]) * 2
        return 200, {}, json.dumps({"data": inside[first : first + 2]}).encode()

    report = entries.load_from(capped, window=DAY)
    assert [number for (number,) in entries.rows("id")] == list(range(1, 12))
    assert report.changes.rows == report.changes.distinct_keys == 11


def test_a_value_that_does_not_fit_makes_its_column_text_where_it_may(table: MakeTable) -> None:
    entries = table(columns={"number": {"data_type": "bigint", "on_type_mismatch": "text"}})
    entries.load(row(1, number=7), row(2, number=None))
    assert entries.rows("number") == [(7,), (None,)]
    mixed = [row(1, number=7), row(2, number="A-8"), row(3, number=1.50), row(4, number=[1, "x"])]
    report = entries.load(*mixed)
    texts = [("7",), ("A-8",), ("1.5",), ('[1, "x"]',)]
    assert entries.rows("number") == texts
    assert report.column_types["number"] == "text"
    assert (report.changes.unchanged, report.changes.updated, report.changes.inserted) == (1, 1, 2)
    # it stays text, though all values would fit again
    assert entries.load(*mixed, row(5, number=9)).changes.unchanged == 4
    assert entries.rows("number") == [*texts, ("9",)]


def test_placeholders_for_no_value_are_null_and_counted(table: MakeTable) -> None:
    entries = table(columns={"number": {"data_type": "bigint"}, "day": {"data_type": "date"}})
    assert entries.load(row(1, number=7, rate=1.5)).placeholders == {}
    rows = [row(1, number="", rate="n/a"), row(2, number=False, day="0000-00-00", note="")]
    report = entries.load(*rows)
    assert entries.rows("number, day, rate") == [(None, None, None), (None, None, None)]
    assert entries.rows("note")[1] == ("",)
    assert report.placeholders == {"number": 2, "day": 1, "rate": 1}
    assert load_metadata(report)["placeholders"] == report.placeholders
    assert any("are stored as null: day (1), number (2), rate (1)." in w for w in report.warnings)
    # what was null stays unchanged
    assert entries.load(*rows).changes.unchanged == 2
    with pytest.raises(IngestError, match=r'holds "12x" .*page 1'):
        entries.load(*rows, row(3, number="12x"))
    assert len(entries.rows("id")) == 2


def test_a_column_of_text_takes_all_values_where_it_may(table: MakeTable) -> None:
    entries = table(columns={"code": {"data_type": "text", "on_type_mismatch": "text"}})
    big = 123456789012345678901234567890
    entries.load(row(1, code="x\u00e9\n"), row(2, code=big), row(3, code={"a": 1}), row(4))
    assert entries.rows("code") == [("x\u00e9\n",), (str(big),), ('{"a": 1}',), (None,)]


def test_a_load_that_is_refused_widens_nothing(table: MakeTable) -> None:
    entries = table(columns={"number": {"data_type": "bigint", "on_type_mismatch": "text"}})
    entries.load(*(row(n, number=n) for n in range(30)))
    with pytest.raises(IngestError, match="would remove 29 of 30"):
        entries.load(row(1, number="x"))
    assert entries.rows("number")[:2] == [(0,), (1,)]


def test_a_key_may_become_text(table: MakeTable) -> None:
    entries = table(columns={"id": {**ID, "on_type_mismatch": "text"}})
    entries.load(row(1), row(2))
    report = entries.load(row(1), row("B"))
    assert entries.rows("id") == [("1",), ("B",)]
    assert (report.changes.unchanged, report.changes.inserted, report.changes.deleted) == (1, 1, 1)


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ({"total": {}}, "total", "needs either `path` or `header`"),
        ({"total": {"path": "n"}, "max_rows_per_answer": 5}, "max_rows_per_answer", "excludes"),
        ({"deleted_field": "gone"}, "deleted_field", "must be declared"),
        ({"deleted_field": "id", "deleted_ids": {"endpoint": {}}}, "deleted_ids", "one of them"),
        ({"deleted_ids": {"endpoint": {"path": "x"}}}, "endpoint", "no `paginator`"),
        (
            {
                **BY_DAY,
                "sync_mode": "window",
                "columns": {"at": {**AT, "on_type_mismatch": "text"}},
            },
            "on_type_mismatch",
            "can't become text",
        ),
    ],
)
def test_contradictions_are_refused(
    table: MakeTable, spec: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(SpecError, match=message) as refused:
        table(**spec)
    assert refused.value.path[-1] == path


def test_a_table_without_a_key_is_replaced(table: MakeTable) -> None:
    """Equal rows of an answer are kept: nothing says that they are one."""
    entries = table(primary_key=[])
    entries.load(row(1), row(1), row(2))
    assert entries.rows("id") == [(1,), (1,), (2,)]
    changes = entries.load(row(1), row(3), row(3), row(3)).changes
    assert (changes.inserted, changes.unchanged, changes.deleted) == (3, 1, 2)
    assert changes.row_count == changes.keys_held == 4
    assert entries.rows("id") == [(1,), (3,), (3,), (3,)]
    assert entries.load().changes.deleted == 4
    assert entries.rows("id") == []


@pytest.mark.parametrize("location", ["params", "json"])
def test_parts_of_a_window_are_asked_for_where_the_api_wants_them(
    table: MakeTable, stub: Stub, location: str
) -> None:
    """Each part is halved by itself where the API cuts it off."""
    held = {1: 8, 2: 1, 3: 1, 4: 1, 5: 1}
    rows = [
        {"id": day * 10 + n, "at": f"2026-01-{day:02}T{n * 2:02}:30:00+01:00"}
        for day, count in held.items()
        for n in range(count)
    ]
    window = {
        "field": "at",
        "start_param": "range.from" if location == "json" else "from",
        "end_param": "range.to" if location == "json" else "to",
        "format": "iso",
        "timezone": "Europe/Berlin",
        "max_days": 2,
        "location": location,
    }
    asked: list[tuple[str, str]] = []

    def answer(path: str, body: bytes) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        if location == "json":
            query = json.loads(body)["range"]
            assert json.loads(body)["kind"] == "all"
        asked.append((query["from"], query["to"]))
        start, end = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        found = [row for row in rows if start <= datetime.fromisoformat(row["at"]) < end]
        return 200, {}, json.dumps({"data": found[:5]}).encode()

    endpoint: dict[str, Any] = {"path": "entries"}
    if location == "json":
        endpoint |= {"method": "POST", "json": {"kind": "all"}}
    partitions = {"type": "daily", "start": "2026-01-01", "timezone": "Europe/Berlin"}
    entries = table(
        sync_mode="window",
        partitions=partitions,
        window=window,
        max_rows_per_answer=5,
        endpoint=endpoint,
    )
    days = Window.of_days(date(2026, 1, 1), date(2026, 1, 6), "Europe/Berlin")
    report = entries.load_from(answer, window=days)
    assert ("2026-01-01T00:00:00+01:00", "2026-01-01T12:00:00+01:00") in asked
    assert ("2026-01-03T00:00:00+01:00", "2026-01-05T00:00:00+01:00") in asked
    assert ("2026-01-05T00:00:00+01:00", "2026-01-06T00:00:00+01:00") in asked
    assert report.changes.row_count == len(rows)
    assert report.rows_outside_window == 0


def pages(*contents: list[dict[str, Any]]) -> Any:
    """An answer in pages, `more` saying whether another one follows."""

    def answer(path: str, body: bytes) -> Any:
        number = int(parse_qs(urlsplit(path).query).get("page", ["1"])[0])
        body = json.dumps({"data": contents[number - 1], "more": number < len(contents)}).encode()
        return 200, {}, body

    return answer


PAGED = {
    "path": "entries",
    "paginator": {
        "type": "page_number",
        "base_page": 1,
        "page_param": "page",
        "has_more_path": "more",
        "total_path": None,
    },
}


def test_no_page_is_requested_twice_because_of_its_types(
    table: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page makes one more column wider, and a third one an object."""
    monkeypatch.setattr(page_typer, "_BATCH_ROWS", 1)
    columns = range(6)
    contents = [
        [row(n, **{f"c{c}": 1 if n <= c else [1.5, "t", {"x": 1}][c % 3] for c in columns})]
        for n in range(1, 9)
    ]
    entries = table(endpoint=PAGED)
    report = entries.load_from(pages(*contents))
    assert len(entries.stub.paths) == report.requests.requests == len(contents)
    assert report.rows_extracted == report.changes.inserted == len(contents)
    kinds = [report.column_types[f"c{c}"] for c in columns]
    assert kinds == ["double", "json", "json"] * 2
    assert entries.rows("c0, CAST(c5 AS VARCHAR)")[4:6] == [(1.5, "1"), (1.5, '{"x": 1}')]


def test_a_column_that_was_inferred_becomes_wider_by_itself(table: MakeTable) -> None:
    entries = table(sync_mode="changes", **BY_DAY)
    entries.load(row(1, n=1, big=2**60, code="x"), window=DAY)
    report = entries.load(row(2, n=1.5, big=0.5, code=7), window=DAY)
    assert report.retyped_columns == {"n": "double", "big": "decimal"}
    assert entries.rows("n, big, code") == [
        (1.0, Decimal(2**60), "x"),
        (1.5, Decimal("0.5"), "7"),
    ]
    report = entries.load(row(3, n=2**62, big=10**40), window=DAY)
    assert report.retyped_columns == {"n": "text", "big": "text"}
    assert [n for (n,) in entries.rows("n")][1:] == ["1.5", str(2**62)]
    assert [big for (big,) in entries.rows("big")][2] == str(10**40)
    # it stays as it is, whatever comes
    assert not entries.load(row(4, n=1, big=1), window=DAY).retyped_columns
    assert entries.rows("n")[3] == ("1",)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("keys", [(1, 2, 3), ("a", "b", "c"), (2**70, 2**71, 2**72)])
def test_a_table_that_begins_empty_takes_whatever_its_key_turns_out_to_be(
    table: MakeTable, mode: str, keys: tuple[Any, ...]
) -> None:
    window = None if mode == "snapshot" else DAY
    entries = table(sync_mode=mode, columns={"id": None}, **MODES[mode])
    assert entries.load(window=window).changes.row_count == 0
    assert entries.load(window=window).changes.row_count == 0
    first, second, third = keys
    report = entries.load(row(first, text="x"), row(second), window=window)
    assert report.changes.inserted == report.changes.row_count == 2
    report = entries.load(row(first, text="y"), row(second), row(third), window=window)
    assert (report.changes.updated, report.changes.inserted) == (1, 1)
    assert [
        (type(key)(stored), text)
        for key, (stored, text) in zip(keys, entries.rows("id, text"), strict=True)
    ] == [
        (first, "y"),
        (second, None),
        (third, None),
    ]


def test_a_declared_type_that_is_wider_than_the_table_is_carried_out(table: MakeTable) -> None:
    entries = table(sync_mode="changes", **BY_DAY)
    entries.load(row(1, n=2**53, flag=True), row(2, n=None), window=DAY)
    other = table(
        sync_mode="changes",
        columns={"n": {"data_type": "double"}, "flag": {"data_type": "text"}},
        **BY_DAY,
    )
    report = other.load(row(3, n=0.5, flag="maybe"), window=DAY)
    assert report.retyped_columns == {"n": "double", "flag": "text"}
    assert other.rows("n, flag") == [(2.0**53, "true"), (None, None), (0.5, "maybe")]


def test_a_declared_type_that_does_not_hold_the_table_says_what_to_do(table: MakeTable) -> None:
    """And doing it works."""
    entries = table(sync_mode="changes", **BY_DAY)
    entries.load(row(1, n=2**53 + 1, text="7"), window=DAY)
    other = table(sync_mode="changes", columns={"n": {"data_type": "double"}}, **BY_DAY)
    with pytest.raises(
        IngestError, match=r"declared as double, but .* holds it as bigint"
    ) as error:
        other.load(row(2, n=0.5), window=DAY)
    assert other.rows("n") == [(2**53 + 1,)]
    [drop] = re.findall("`(DROP TABLE .*?)`", str(error.value))
    with other.warehouse.exclusive("a test", dataset="hours") as opened:
        opened.change(drop)
    other.load(row(1, n=1), row(2, n=0.5), window=DAY)
    assert other.rows("n") == [(1.0,), (0.5,)]


def test_a_load_that_fails_changes_no_type(
    table: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The types change in the merge's own transaction."""
    entries = table()
    entries.load(row(1, n=1))
    broken = ["SELECT 1 FROM no_such_table"]
    with monkeypatch.context() as patched:
        changes = merge.type_changes
        patched.setattr(merge, "type_changes", lambda *given: [*changes(*given), *broken])
        with pytest.raises(IngestError, match="no_such_table"):
            entries.load(row(1, n=1.5))
    assert entries.rows("n") == [(1,)]
    assert isinstance(entries.rows("n")[0][0], int)
    entries.load(row(1, n=1.5))
    assert entries.rows("n") == [(1.5,)]


def test_loads_leave_one_version_of_the_schema(table: MakeTable) -> None:
    """dlt keeps each version of a schema, and a window is no part of it."""
    entries = table(sync_mode="window", **BY_DAY)
    days = [date(2026, 1, day) for day in range(1, 7)]

    def versions() -> list[int]:
        notes = [("hours", "_dlt_version"), ("hours_staging", "_dlt_version")]
        with entries.warehouse.reading("a test") as opened:
            return [
                opened.number(f"SELECT count(*) FROM {dataset}.{table}")
                for dataset, table in notes
                if opened.column_types(dataset, table)
            ]

    counts = []
    for first, last in pairwise(days):
        row = {"id": first.day, "at": f"{first.isoformat()}T09:00:00Z"}
        entries.load(row, window=Window.of_days(first, last))
        counts.append(versions())
    assert len(entries.rows("id")) == len(days) - 1
    # the first answer is appended, and has no staging table
    assert counts == [[1], *[[2, 1]] * (len(counts) - 1)]


def test_a_clock_that_was_ahead(table: MakeTable) -> None:
    """What dlt noted in the future does not hide what is noted now."""
    entries = table(columns={"at": None})
    entries.load({"id": 1, "note": "a"})
    with entries.warehouse.exclusive("a test", dataset="hours") as opened:
        opened.change("UPDATE hours._dlt_version SET inserted_at = inserted_at + INTERVAL '10' DAY")
    entries.load({"id": 1, "note": "b", "Rate in %": 7, "rate_in_": 8})
    before = _only_row(entries)
    entries.load({"id": 1, "note": "c", "rate_in_": 9})
    # two fields of one name keep the columns that they have got
    assert _only_row(entries) == {
        name: {7: None, 8: 9, "b": "c"}.get(value, value) for name, value in before.items()
    }


def _only_row(entries: Table) -> dict[str, Any]:
    with entries.warehouse.exclusive("a test", dataset="hours") as opened:
        names = opened.column_types("hours", "entries")
    [row] = entries.rows(", ".join(map(quoted, names)))
    return dict(zip(names, row, strict=True))


def test_a_process_that_loads_for_long_keeps_no_settings_of_dlt(table: MakeTable) -> None:
    """dlt notes each setting that it looks up, some hundred a load."""
    table().load({"id": 1, "at": "2026-01-02T00:00:00Z"})
    assert get_resolved_traces().all_traces == []
