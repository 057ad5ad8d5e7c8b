"""Copies of the model for other programs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.support.hours import World
from timetracking_assets.errors import WarehouseError
from timetracking_assets.hours.copies import Copies, write_duckdb, write_parquet
from timetracking_assets.spec.hours_model import CopiesSpec

TABLES = ["people", "time_entries", "person_project_weeks"]


@pytest.mark.parametrize("directory", ["copies", "env=prod", "100%"])
def test_copies_hold_the_tables(world: World, tmp_path: Path, directory: str) -> None:
    world.build()
    file, folder = tmp_path / directory / "unified.duckdb", tmp_path / directory / "parquet"
    for _ in range(2):
        with world.opened() as opened:
            write_duckdb(opened, TABLES, file)
            write_parquet(opened, TABLES, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{t}.parquet" for t in TABLES)
    assert {path.name for path in file.parent.iterdir()} == {"unified.duckdb", "parquet"}
    assert oct(file.stat().st_mode)[-3:] == "600"
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for relation in ("hours.time_entries", f"'{folder}/time_entries.parquet'"):
            found = connection.execute(f"SELECT count(*), sum(seconds) FROM {relation}").fetchall()
            assert found == [(3, 12_000)]
        [[version]] = connection.execute(
            "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'unified'"
        ).fetchall()
    assert version.startswith("v1.2.0")


def test_a_copy_that_cannot_be_written(world: World, tmp_path: Path) -> None:
    world.build()
    (tmp_path / "file").write_text("")
    with world.opened() as opened, pytest.raises(WarehouseError, match="can't write the copy"):
        write_duckdb(opened, TABLES, tmp_path / "file" / "hours.duckdb")


def test_copies_older_than_the_model_are_known(world: World, tmp_path: Path) -> None:
    """Also after a build that was killed before it had written them."""
    world.build()
    copies = Copies.of(CopiesSpec(duckdb="bi/unified.duckdb", parquet="bi/unified"), tmp_path)
    assert copies.begin()
    with world.opened() as opened:
        copies.write(opened, TABLES)
    assert not copies.begin()
    # no end: killed
    assert copies.begin()
    copies.end()
    assert not copies.begin()
    copies.end()
    assert sorted(path.name for path in (tmp_path / "bi").iterdir()) == [
        "unified",
        "unified.duckdb",
    ]
    (tmp_path / "bi" / "unified.duckdb").unlink()
    assert copies.begin()


def test_copies_are_optional(tmp_path: Path) -> None:
    copies = Copies.of(CopiesSpec(), tmp_path)
    assert not copies.begin()
    copies.end()
    assert list(tmp_path.iterdir()) == []
