"""A load gives what the plainest loader would: the json module, and one INSERT for each row.

The rows are nasty on purpose; the columns of the reference are written down by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.spec.api import Api
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

if TYPE_CHECKING:
    from tests.support.stub_api import Stub

COLUMNS = {
    "id": "BIGINT",
    "name": "VARCHAR",
    "looks_like_a_time": "VARCHAR",
    "started": "TIMESTAMPTZ",
    "day": "DATE",
    "hours": "DOUBLE",
    "rate": "DECIMAL(38,9)",
    "billable": "BOOLEAN",
    "beyond_53_bits": "BIGINT",
    "beyond_64_bits": "DECIMAL(38,9)",
    "mixed": "JSON",
    "tags": "JSON",
    "client__name": "VARCHAR",
    "client__address__city": "VARCHAR",
    "client__labels": "JSON",
    "came_midway": "BIGINT",
}
DECLARED = {
    "started": {"data_type": "timestamp", "timezone": "Europe/Berlin"},
    "day": {"data_type": "date"},
    "rate": {"data_type": "decimal"},
}
PAGES = [
    [
        '{"id": 1, "name": "plain", "looks_like_a_time": "2026-01-01", "hours": 1, '
        '"started": "2026-01-01T00:30:00+01:00", "day": "2026-01-01", "rate": 75.10, '
        '"billable": true, "beyond_53_bits": 9007199254740993, "beyond_64_bits": 1, "mixed": 1, '
        '"tags": ["a", 1.10, {"deep": [null]}], '
        '"client": {"name": "x", "address": {"city": "Köln"}, "labels": []}}',
        '{"id": 2}',
        '{"id": 3, "name": null, "tags": null, "client": null, "hours": null, "mixed": null}',
    ],
    [],
    [
        '{"id": 4, "name": "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00 \u2028 é", '
        '"looks_like_a_time": "2026-01-01T00:00:00Z", "hours": 1.5, '
        '"started": "2026-07-01 12:00:00", "rate": "0.000000001", '
        '"beyond_53_bits": -9223372036854775808, "beyond_64_bits": 18446744073709551616, '
        '"mixed": "two", "tags": [], "client": {"name": "", "address": null}}',
        '{\n  "id": 5,\n  "mixed": {"three": [3, 9007199254740993]},\n  "tags": "none",\n'
        '  "client": {}\n}',
        '{"id": 6, "mixed": [1.10], "came_midway": 7, "rate": 12345678901234567890.10}',
        '{"id": 7, "mixed": false, "started": "2026-01-01T00:00:00.123456789Z", "name": ""}',
    ],
    ['{"id": 8, "came_midway": null, "looks_like_a_time": "", "beyond_64_bits": -1, "hours": 2}'],
]
INSTANTS = {
    1: "2025-12-31 23:30:00+00",
    4: "2026-07-01 10:00:00+00",
    7: "2026-01-01 00:00:00.123456+00",
}
"""What the times above mean; how they are read is tested in `test_times.py`."""


@pytest.fixture
def load(api: Callable[..., Api], stub: Stub, tmp_path: Path) -> Callable[..., LoadReport]:
    """Loads `hours.entries` from pages of JSON texts."""

    def load(*pages: list[str]) -> LoadReport:
        def answer(path: str, _: bytes) -> Any:
            number = int(path.partition("page=")[2] or 1)
            rows = ",".join(pages[number - 1])
            return 200, {}, f'{{"pages": {len(pages)}, "data": [{rows}]}}'.encode()

        stub.answers = [answer]
        paginator = {
            "type": "page_number",
            "base_page": 1,
            "total_path": "pages",
            "stop_after_empty_page": False,
        }
        endpoint = {"path": "entries", "paginator": paginator}
        resolved = api({"name": "entries", "endpoint": endpoint, "columns": DECLARED})
        connection = Connection(resolved, {"HOURS_BASE_URL": stub.url})
        request = LoadRequest(connection, resolved.resources["entries"])
        return run_load(request, DuckDBFile(tmp_path / "w.duckdb"))

    return load


def reference(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TEMP TABLE reference ({columns})")
    for text in [text for page in PAGES for text in page]:
        row = json.loads(text, parse_float=Decimal)
        values = []
        for name, kind in COLUMNS.items():
            value: Any = row
            for part in name.split("__"):
                value = value.get(part) if isinstance(value, dict) else None
            if name == "started":
                value = INSTANTS.get(row["id"])
            if kind == "JSON" and value is not None:
                value = json.dumps(value, default=str)
            values.append(value)
        marks = ", ".join("?" for _ in values)
        connection.execute(f"INSERT INTO reference VALUES ({marks})", values)
    return connection.execute("SELECT * FROM reference ORDER BY id").fetchall()


def comparable(rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows with their JSON read: white space and the writing of a number are not compared."""
    named = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    for row in named:
        for name, kind in COLUMNS.items():
            if kind == "JSON" and row[name] is not None:
                row[name] = _plain(json.loads(row[name], parse_float=Decimal))
    return named


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return str(value) if isinstance(value, Decimal) else value


def test_nasty_rows_are_loaded_as_a_plain_reference_loads_them(
    load: Callable[..., LoadReport], tmp_path: Path
) -> None:
    report = load(*PAGES)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        described = connection.execute("DESCRIBE hours.entries").fetchall()
        names = ", ".join(COLUMNS)
        loaded = connection.execute(f"SELECT {names} FROM hours.entries ORDER BY id").fetchall()
        expected = reference(connection)
    kinds = {name: kind.replace(" WITH TIME ZONE", "TZ") for name, kind, *_ in described}
    assert kinds == COLUMNS
    assert comparable(loaded) == comparable(expected)
    assert report.changes.row_count == len(expected) == 8


def test_a_row_that_comes_twice_stands_once_as_it_came_last(
    load: Callable[..., LoadReport], tmp_path: Path
) -> None:
    first = ['{"id": 1, "name": "a"}', '{"id": 2, "name": "b"}', '{"id": 1, "name": "c"}']
    for _ in range(2):
        report = load(first)
        with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
            rows = connection.execute("SELECT id, name FROM hours.entries ORDER BY id").fetchall()
        assert rows == [(1, "c"), (2, "b")]
        changes = report.changes
        assert (changes.rows, changes.distinct_keys, changes.row_count) == (3, 2, 2)
    assert (changes.inserted, changes.updated, changes.unchanged) == (0, 0, 2)
