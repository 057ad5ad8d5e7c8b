"""A load writes the rows that its table does not hold as they are, and no others."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load import merge
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window
from timetracking_assets.warehouse.base import Warehouse, quoted

if TYPE_CHECKING:
    from tests.unit.conftest import Stub
    from timetracking_assets.spec.api import Api

Load = Callable[..., LoadReport]
ROWS = [{"id": n, "name": f"n{n}", "tags": [n], "hours": n + 0.5} for n in range(6)]
CHANGED = [{**ROWS[1], "tags": [1, 2]}, {"id": 9, "name": "new"}]
BY_DAY: dict[str, Any] = {
    "window": {"field": "day", "start_param": "from"},
    "partitions": {"type": "daily", "start": "2026-01-01"},
    "columns": {"day": {"data_type": "date", "nullable": False}, "gone": {"data_type": "bool"}},
}
JANUARY = Window.of_days(date(2026, 1, 1), date(2026, 2, 1))


@pytest.fixture
def warehouse(tmp_path: Path, new_warehouse: Callable[[Path], Warehouse]) -> Warehouse:
    return new_warehouse(tmp_path)


@pytest.fixture
def load(api: Callable[..., Api], stub: Stub, warehouse: Warehouse) -> Load:
    """Loads rows of a resource with the given keys of YAML."""

    def load_rows(
        rows: list[dict[str, Any]], during: Window | None = None, **given: Any
    ) -> LoadReport:
        stub.answers = [(200, {}, json.dumps({"data": rows}).encode())]
        spec = api({"name": "entries", "endpoint": {"path": "entries"}, **given})
        connection = Connection(spec, {"HOURS_BASE_URL": stub.url})
        request = LoadRequest(connection, spec.resources["entries"], during, allow_removal=True)
        return run_load(request, warehouse)

    return load_rows


@pytest.fixture
def held(warehouse: Warehouse) -> Callable[..., list[Any]]:
    """The values of a column, in the table or in its staging table."""

    def values(column: str = "id", schema: str = "hours") -> list[Any]:
        with warehouse.reading("a test") as opened:
            name = quoted(column)
            rows = opened.rows(f"SELECT {name} FROM {schema}.entries ORDER BY {name}")
        return [value for (value,) in rows]

    return values


def execute(warehouse: Warehouse, *statements: str) -> None:
    with warehouse.exclusive("a test", dataset="hours") as opened:
        for statement in statements:
            opened.change(statement)


def test_what_is_as_it_was_is_not_written(load: Load, held: Callable[..., list[Any]]) -> None:
    load(ROWS)
    report = load([ROWS[0], *CHANGED, *ROWS[3:]])
    changes = report.changes
    assert (changes.inserted, changes.updated, changes.unchanged, changes.deleted) == (1, 1, 4, 1)
    assert (changes.written, changes.row_count, changes.keys_held) == (2, 6, 6)
    assert held() == [0, 1, 3, 4, 5, 9]
    assert held(schema="hours_staging") == [1, 9]
    again = load([ROWS[0], *CHANGED, *ROWS[3:]]).changes
    assert (again.unchanged, again.written, again.changed) == (6, 0, False)
    assert held(schema="hours_staging") == []
    assert held() == [0, 1, 3, 4, 5, 9]


def test_changes_remove_nothing(load: Load, held: Callable[..., list[Any]]) -> None:
    rows = [{"id": n, "day": "2026-01-03", "hours": n} for n in range(4)]
    load(rows, JANUARY, sync_mode="changes", **BY_DAY)
    answer = [rows[0], {**rows[1], "hours": 9}]
    changes = load(answer, JANUARY, sync_mode="changes", **BY_DAY).changes
    assert (changes.updated, changes.unchanged, changes.deleted, changes.written) == (1, 1, 0, 1)
    assert held("hours") == [0, 2, 3, 9]


@pytest.mark.parametrize("most", [50_000, 1])
def test_a_window_loses_what_its_answer_lacks(
    load: Load, held: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Whether the keys to remove are named, or too many for that."""
    monkeypatch.setattr(merge, "_MOST_NAMED_KEYS", most)
    rows = [{"id": n, "day": f"2026-0{1 + n % 2}-03"} for n in range(8)]
    all_days = Window.of_days(date(2026, 1, 1), date(2026, 3, 1))
    load(rows, all_days, sync_mode="window", **BY_DAY)
    moved = {"id": 7, "day": "2026-01-09"}
    report = load([rows[0], moved], JANUARY, sync_mode="window", **BY_DAY)
    # of January 2, 4 and 6 are gone, and 7 came from February
    assert (report.changes.deleted, report.changes.written) == (3, 1 if most > 1 else 2)
    assert held() == [0, 1, 3, 5, 7]
    assert [str(day) for day in held("day")][:2] == ["2026-01-03", "2026-01-09"]


@pytest.mark.parametrize(
    ("key", "kind", "values"),
    [
        (
            ["id"],
            "text",
            ["it's", "50%", "%s", "{x}", '"', "a;b", "back\\slash", "", "ä😀", "--"],
        ),
        (["id"], "timestamp", ["2026-01-01T00:00:00.000001Z", "2026-07-01T12:00:00+02:00"]),
        (["id"], "date", ["2026-01-01", "2026-12-31"]),
        (["id"], "double", [0.1, -1.5, 1e300]),
        (["id"], "decimal", ["0.000000001", "12345678901234567890.1"]),
        (["id", "name"], "text", ["it's", "50%", "{x}"]),
    ],
)
def test_keys_of_each_type_are_removed(
    load: Load, held: Callable[..., list[Any]], key: list[str], kind: str, values: list[Any]
) -> None:
    given = {"primary_key": key, "columns": {"id": {"data_type": kind, "nullable": False}}}
    rows = [{"id": value, "name": "x"} for value in values]
    load(rows, **given)
    report = load(rows[-1:], **given)
    assert (report.changes.deleted, report.changes.written) == (len(values) - 1, 0)
    assert len(held()) == 1
    assert load(rows[-1:], **given).changes.unchanged == 1


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO hours.entries SELECT * FROM hours.entries WHERE id = 3",
        "INSERT INTO hours.entries (id, name) VALUES (3, 'another')",
        "INSERT INTO hours.entries (name) VALUES ('of nobody')",
        "UPDATE hours.entries SET name = NULL WHERE id = 3",
        "UPDATE hours.entries SET id = 77 WHERE id = 3",
    ],
)
def test_rows_changed_by_hand_are_put_right(
    load: Load, held: Callable[..., list[Any]], warehouse: Warehouse, statement: str
) -> None:
    columns = {"id": {"data_type": "bigint", "nullable": True}}
    load(ROWS, columns=columns)
    execute(warehouse, "ALTER TABLE hours.entries ALTER COLUMN id DROP NOT NULL", statement)
    load(ROWS, columns=columns)
    assert held() == [0, 1, 2, 3, 4, 5]
    assert held("name") == [f"n{n}" for n in range(6)]
    assert load(ROWS, columns=columns).changes.written == 0


def test_without_a_key_an_equal_answer_is_not_written(
    load: Load, held: Callable[..., list[Any]]
) -> None:
    rows = [{"n": 1}, {"n": 1}, {"n": 2}]
    for _ in range(2):
        report = load(rows, primary_key=[])
    assert (report.changes.unchanged, report.changes.written) == (3, 0)
    assert held("n") == [1, 1, 2]
    assert load(rows[1:], primary_key=[]).changes.row_count == 2
    assert held("n") == [1, 2]


def test_rows_marked_as_deleted_go(load: Load, held: Callable[..., list[Any]]) -> None:
    given = {"sync_mode": "changes", "deleted_field": "gone", **BY_DAY}
    rows = [{**row, "gone": False, "day": "2026-01-03"} for row in ROWS]
    load(rows, JANUARY, **given)
    answer = [*rows[:2], {**rows[2], "gone": True}, {**rows[3], "name": "other"}]
    changes = load(answer, JANUARY, **given).changes
    assert (changes.deleted, changes.updated, changes.unchanged, changes.written) == (1, 1, 2, 2)
    assert held() == [0, 1, 3, 4, 5]


def test_a_new_column_and_a_wider_type_reach_all_rows(
    load: Load, held: Callable[..., list[Any]]
) -> None:
    load(ROWS)
    rows = [{**row, "more": None if row["id"] else 1} for row in ROWS]
    assert load(rows).changes.written == 1
    assert held("more").count(None) == 5
    rows[0]["more"] = 2.5
    changes = load(rows).changes
    assert (changes.written, changes.row_count) == (1, 6)
    assert 2.5 in held("more")


def test_a_column_that_the_api_no_longer_has_becomes_null(
    load: Load, held: Callable[..., list[Any]]
) -> None:
    load(ROWS)
    rows = [{"id": row["id"], "tags": row["tags"], "hours": row["hours"]} for row in ROWS]
    assert load(rows).changes.updated == 6
    assert held("name") == [None] * 6
    assert load(rows).changes.written == 0
