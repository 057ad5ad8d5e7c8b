"""What is made of the same as last time isn't made again, and whatever else has changed is."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from tests.support.hours import World, entry, tool
from timetracking_assets.component import load_project
from timetracking_assets.hours import build
from timetracking_assets.hours.mapping import declared_types
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.sql import table_sql
from timetracking_assets.hours.tables import TABLES
from timetracking_assets.spec.hours_model import HoursModelSpec

_EIGHT, _TEN = "2026-03-02T08:00:00+00:00", "2026-03-02T10:00:00+00:00"


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables whose rows were made, in order."""
    names: list[str] = []
    replace = build.replace_changed

    def record(opened, table, *rest):  # type: ignore[no-untyped-def]
        names.append(table)
        return replace(opened, table, *rest)

    monkeypatch.setattr(build, "replace_changed", record)
    return names


def test_the_same_is_not_made_again(world: World, staged: list[str]) -> None:
    world.build()
    assert set(staged) == set(TABLES)
    staged.clear()
    report = world.build()
    assert staged == []
    assert report.tables["time_entries"].rows == 3
    world.change("UPDATE tool.entries SET note = 'x' WHERE id = 1")
    world.build()
    # no sum reads a note, but they read a table with another content
    assert (
        {"time_entries"}
        <= set(staged)
        <= {
            "time_entries",
            "calendar",
            "person_days",
            "person_project_weeks",
        }
    )
    staged.clear()
    # no column that anything is made of
    world.change("ALTER TABLE tool.entries ADD COLUMN other BIGINT")
    world.change("UPDATE tool.entries SET other = id")
    world.build()
    assert staged == []


def test_a_change_of_settings_is_a_change(world: World, staged: list[str]) -> None:
    world.build()
    staged.clear()
    World.of(world.warehouse, tool(), timezone="Asia/Tokyo").build()
    assert "time_entries" in staged
    assert "clients" not in staged


def test_the_entries_of_one_source_alone_are_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = World.of(world.warehouse, tool(), tool("other"), timezone="Europe/Berlin")
    two.put("other.users", {"id": 5, "email": "ada@studio.example"})
    two.put("other.projects", {"id": 7, "client_id": 1})
    two.put("other.entries", entry(1, _EIGHT, _TEN, user_id=5))
    two.build()
    made: list[str] = []
    monkeypatch.setattr(
        build,
        "replace_changed",
        lambda opened, table, sql, *rest, replace=build.replace_changed: (
            made.append(sql) if table == "time_entries" else None,
            replace(opened, table, sql, *rest),
        )[1],
    )
    two.change("UPDATE other.entries SET seconds = 60")
    report = two.build()
    assert report.tables["time_entries"].rows_written == 1
    assert report.tables["time_entries"].rows == 4
    [sql] = made
    assert '"other"."entries"' in sql
    assert '"tool"."entries"' not in sql


def test_an_api_that_is_taken_out_takes_its_rows_along(world: World) -> None:
    two = World.of(world.warehouse, tool(), tool("other"), timezone="Europe/Berlin")
    two.put("other.users", {"id": 5, "email": "ada@studio.example"})
    two.put("other.entries", entry(1, _EIGHT, _TEN, user_id=5))
    assert two.build().tables["time_entries"].rows == 4
    report = world.build()
    assert (report.tables["time_entries"].rows, report.tables["time_entries"].rows_removed) == (
        3,
        1,
    )
    assert world.finding("person_days", "hours_equal_entries").count == 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE hours.time_entries SET seconds = seconds + 1",
        "DELETE FROM hours.person_days",
        "DROP TABLE hours.person_project_weeks",
        "DROP TABLE hours.holidays",
        "DELETE FROM hours._last_build",
        "ALTER TABLE hours._last_build DROP COLUMN result",
        "DROP TABLE hours._last_build",
    ],
)
def test_what_was_changed_in_the_model_by_hand_is_made_good(world: World, sql: str) -> None:
    world.build()
    tables = ("time_entries", "person_days", "person_project_weeks", "holidays")

    def rows() -> list[object]:
        return [world.rows(f"SELECT * FROM hours.{name} ORDER BY 1, 2, 3") for name in tables]

    before = rows()
    world.change(sql)
    world.build()
    assert rows() == before


@pytest.mark.parametrize("table", [name for name in TABLES if TABLES[name].mapping])
def test_all_raw_columns_that_the_sql_reads_are_compared(table: str) -> None:
    shipped = {api.name: api for api in load_project(Path.cwd())}
    for apis in (shipped, {"tool": tool()}):
        model = HoursModel(HoursModelSpec(), apis)
        for mapped in model.mapped(TABLES[table]):
            alone = model.only(mapped.api.name)
            sql = table_sql(alone, table, declared_types(apis.values()))
            named = {
                column.name
                for column in sqlglot.parse_one(sql, read="duckdb").find_all(exp.Column)
                if column.table == "t" or column.table.endswith("_of")
            }
            compared = set().union(*alone.raw_columns(TABLES[table]).values())
            assert named <= compared, mapped.label
