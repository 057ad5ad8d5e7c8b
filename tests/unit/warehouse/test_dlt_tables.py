"""dlt's own tables: what of them can go, and what dlt must find again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import pytest

from timetracking_assets.warehouse.base import Warehouse
from timetracking_assets.warehouse.dlt_tables import mend_clock, prune_notes

NOTES = ("_dlt_loads", "_dlt_pipeline_state", "_dlt_version")


@pytest.fixture
def warehouse(tmp_path: Path, new_warehouse: Callable[[Path], Warehouse]) -> Warehouse:
    return new_warehouse(tmp_path)


def _load(warehouse: Warehouse, directory: Path, table: str, **row: Any) -> Any:
    """Load as a load does: from an empty directory, the schema restored; the pipeline."""
    with warehouse.exclusive("a test", dataset="hours") as opened:
        pipeline = dlt.pipeline(
            f"hours__{table}",
            pipelines_dir=str(directory),
            destination=opened.destination(),
            dataset_name="hours",
        )
        pipeline.sync_destination()
        if row:
            source = dlt.source(lambda: dlt.resource([row], name=table), name=table)
            pipeline.run(source())
    return pipeline


def _counts(warehouse: Warehouse) -> list[int]:
    with warehouse.exclusive("a test", dataset="hours") as opened:
        return [opened.number(f"SELECT count(*) FROM hours.{name}") for name in NOTES]


def test_what_dlt_reads_next_stays(warehouse: Warehouse, tmp_path: Path) -> None:
    for number in range(3):
        row = {"id": number, **{f"column_{n}": n for n in range(number)}}
        _load(warehouse, tmp_path / f"e{number}", "entries", **row)
    _load(warehouse, tmp_path / "p", "people", id=1)
    loads, states, versions = _counts(warehouse)
    assert (loads, versions) == (4, 4)
    now = datetime.now(UTC)
    with warehouse.exclusive("a test", dataset="hours") as opened:
        assert prune_notes(opened, "hours", now - timedelta(days=1)) == 0
        removed = prune_notes(opened, "hours", now + timedelta(days=1))
    left = _counts(warehouse)
    assert left == [2, 2, 2]
    assert removed == loads + states + versions - sum(left)
    restored = _load(warehouse, tmp_path / "again", "entries")
    assert {"id", "column_0", "column_1"} <= restored.default_schema.tables["entries"][
        "columns"
    ].keys()


def test_notes_of_the_future(warehouse: Warehouse, tmp_path: Path) -> None:
    for number in range(2):
        _load(warehouse, tmp_path / str(number), "entries", **{"id": number, f"column_{number}": 1})
    now = datetime.now(UTC)
    with warehouse.exclusive("a test", dataset="hours") as opened:
        newest = opened.rows("SELECT version_hash FROM hours._dlt_version ORDER BY inserted_at")[-1]
        mend_clock(opened, "hours", "entries", now - timedelta(days=1))
        # both were noted after that: the newest is left
        rows = opened.rows("SELECT version_hash, inserted_at FROM hours._dlt_version")
    assert [row[0] for row in rows] == list(newest)
    assert rows[0][1] == now - timedelta(days=1)
