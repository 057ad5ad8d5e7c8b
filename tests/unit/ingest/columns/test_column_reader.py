"""Names of an API that mean something in SQL, from the answer to the table and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Api
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

if TYPE_CHECKING:
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
