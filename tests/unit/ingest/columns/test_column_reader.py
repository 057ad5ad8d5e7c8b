"""Names of an API that mean something in SQL, from the answer to the table and back; and zeros, of
which only those that are rounded cost a look at each row."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from timetracking_assets.ingest.columns import column_reader
from timetracking_assets.ingest.columns.page_typer import PageTyper
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Api
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

if TYPE_CHECKING:
    from tests.support.builders import MakePage, MakeResource
    from tests.support.stub_api import Stub

HOSTILE = 'a"b; DROP TABLE "order"; --'


@pytest.mark.parametrize("mode", ["snapshot", "window", "changes"])
def test_words_of_sql_and_quotes_are_only_names(
    api: Callable[..., Api], stub: Stub, tmp_path: Path, mode: str
) -> None:
    """`select`.`order`, keyed by `group`, with a window on `from`, loaded twice."""
    windowed = {
        "partitions": {"type": "daily", "start": "2026-01-01"},
        "window": {"field": "from", "start_param": "start", "end_param": "end"},
    }
    resolved = api(
        {
            "name": "order",
            "primary_key": ["group", "table"],
            "sync_mode": mode,
            "endpoint": {"path": "order"},
            "columns": {
                "group": {"data_type": "bigint", "nullable": False},
                "table": {"data_type": "text", "nullable": False},
                "from": {"data_type": "timestamp", "nullable": False, "description": "a \"b\" 'c'"},
                "where": {"data_type": "json"},
            },
            **(windowed if mode != "snapshot" else {}),
        },
        name="select",
    )
    resource = resolved.resources["order"]
    connection = Connection(resolved, {"HOURS_BASE_URL": stub.url})
    warehouse = DuckDBFile(tmp_path / 'a "b" c.duckdb')
    window = Window.of_days(date(2026, 1, 1), date(2026, 1, 2)) if mode != "snapshot" else None
    for rows in ([1, 2, 3], [2, 3, 4]):
        answer = [
            {
                "group": key,
                "table": HOSTILE,
                "from": "2026-01-01T10:00:00Z",
                "where": {"x": [1]},
                HOSTILE: f"value {key}",
            }
            for key in rows
        ]
        stub.answers = [(200, {}, json.dumps({"data": answer}).encode())]
        report = run_load(LoadRequest(connection, resource, window), warehouse)
    with duckdb.connect(str(warehouse.path)) as connected:
        found = connected.execute('SELECT * FROM "select"."order" ORDER BY "group"').fetchall()
        names = [name for name, *_ in connected.description or []]
    kept = {"snapshot": [2, 3, 4], "window": [2, 3, 4], "changes": [1, 2, 3, 4]}[mode]
    assert [row[names.index("group")] for row in found] == kept
    [hostile] = [name for name in names if name.startswith("a_b")]
    assert [row[names.index(hostile)] for row in found] == [f"value {key}" for key in kept]
    assert {row[names.index("table")] for row in found} == {HOSTILE}
    assert report.rows_extracted == 3


def test_text_with_the_look_of_an_exponent_costs_nothing(
    resource: MakeResource, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words and UUIDs, beside a number that is zero."""

    def looked_at(*_: object) -> None:
        pytest.fail("each row was decoded")

    monkeypatch.setattr(column_reader, "misfits", looked_at)
    row = {"id": 1, "rate": 0.0, "note": "an e-mail: 5e-x", "key": "0b1c2e-4f5a-413e-8d1e-10"}
    table = PageTyper(resource(), {})(page(row))
    assert table.column("rate").to_pylist() == [0.0]


def test_rows_are_searched_once_for_all_columns_with_zeros(
    resource: MakeResource, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = []
    search = column_reader._holds_tiny
    monkeypatch.setattr(
        column_reader, "_holds_tiny", lambda page: searched.append(page) or search(page)
    )
    row = {"id": 1, **{f"n{number}": 0.0 for number in range(20)}}
    typer = PageTyper(resource(), {})
    assert typer(page(row)).num_rows == 1
    assert len(searched) == 1
