"""The copies of the model, as the build of its assets writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from tests.support.hours import World, entry, tool
from timetracking_assets.orchestration.hours.assets import hours_assets
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource

pytestmark = pytest.mark.duckdb_only(reason="about files")


@pytest.mark.timeout(300)
def test_copies_are_those_of_the_model_whatever_happened_to_them(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    chosen = {"duckdb": "bi/unified.duckdb", "parquet": "bi/unified"}
    world = World.of(new_warehouse(tmp_path), tool(), copies=chosen)
    world.put("tool.users", {"id": 1, "name": "Ada", "email": "ada@studio.example"})
    world.put("tool.projects", {"id": 7, "name": "Site"})
    world.put("tool.entries", entry(1, "2026-03-02T08:00:00+00:00", "2026-03-02T10:00:00+00:00"))
    world.put("tool.leave")
    world.put("tool.bookings")
    folder = world.warehouse.work_dir.parent / "bi"
    resources = {WAREHOUSE: WarehouseResource(path=str(world.warehouse), publish="on_demand")}

    def build() -> bool:
        assets = [hours_assets(world.model)]
        return dg.materialize(assets, resources=resources, raise_on_error=False).success

    def copied() -> set[int]:
        file = folder / "unified.duckdb"
        with duckdb.connect(str(file), read_only=True) as connection:
            relations = ("hours.time_entries", f"'{folder / 'unified'}/time_entries.parquet'")
            return {
                connection.execute(f"SELECT sum(seconds) FROM {relation}").fetchall()[0][0]
                for relation in relations
            }

    assert build()
    assert copied() == {7200}
    # gone, and the model has not changed since
    (folder / "unified.duckdb").unlink()
    assert build()
    assert copied() == {7200}
    # a build that wrote the model and could not write the copy
    world.put("tool.entries", entry(1, "2026-03-02T08:00:00+00:00", "2026-03-02T09:00:00+00:00"))
    unfinished = folder / ".unified.duckdb.new"
    unfinished.mkdir()
    assert not build()
    assert copied() == {7200}
    unfinished.rmdir()
    assert build()
    assert copied() == {3600}
