"""Only what changed is written, in one transaction."""

from __future__ import annotations

import pytest

from tests.support.hours import World, entry
from timetracking_assets.hours import run
from timetracking_assets.hours.run import ModelReport
from timetracking_assets.hours.tables import TABLES

_EIGHT, _NINE = "2026-03-02T08:00:00+00:00", "2026-03-02T09:00:00+00:00"


def _written(report: ModelReport) -> dict[str, tuple[int, int, int]]:
    return {
        name: (table.parts_replaced, table.rows_written, table.rows_removed)
        for name, table in report.tables.items()
        if table.changed
    }


def test_nothing_is_written_where_nothing_changed(world: World) -> None:
    assert _written(world.build())["time_entries"] == (2, 3, 0)
    assert _written(world.build()) == {}


def test_an_edit_replaces_its_day_alone(world: World) -> None:
    world.build()
    world.change("UPDATE tool.entries SET seconds = 60 WHERE id = 3")
    assert _written(world.build()) == {
        "time_entries": (1, 1, 1),
        # both people were there on that day
        "person_days": (1, 2, 2),
        "person_project_weeks": (1, 2, 2),
    }


def test_a_move_and_a_deletion_reach_both_days(world: World) -> None:
    world.build()
    world.change("DELETE FROM tool.entries WHERE id = 2")
    assert _written(world.build())["time_entries"] == (1, 1, 2)
    world.change(
        "UPDATE tool.entries SET start = '2026-03-05T08:00:00Z', stop = '2026-03-05T09:00:00Z' "
        "WHERE id = 3"
    )
    report = _written(world.build())
    assert report["time_entries"] == (2, 1, 1)
    # two more days between the first and the last entry
    assert report["calendar"] == (1, 4, 2)
    assert world.finding("person_days", "hours_equal_entries").count == 0


def test_entries_without_a_day_are_a_part_of_their_own(world: World) -> None:
    world.put("tool.entries", entry(1, None, None, seconds=60), entry(2, _EIGHT, _NINE))
    assert _written(world.build())["time_entries"] == (2, 2, 0)
    assert world.build().changed is False
    world.change("UPDATE tool.entries SET seconds = 120 WHERE id = 1")
    assert _written(world.build())["time_entries"] == (1, 1, 1)
    assert world.finding("person_days", "hours_equal_entries").count == 0
    assert world.finding("person_project_weeks", "hours_equal_entries").count == 0


def test_a_value_that_becomes_null_is_a_change(world: World) -> None:
    world.build()
    world.change("UPDATE tool.entries SET note = '' WHERE id = 1")
    assert world.build().tables["time_entries"].parts_replaced == 1
    world.change("UPDATE tool.entries SET note = NULL WHERE id = 1")
    assert world.build().tables["time_entries"].parts_replaced == 1


@pytest.mark.parametrize("table", ["people_in_sources", "person_project_weeks"])
def test_a_build_that_fails_leaves_the_model_as_it_was(
    world: World, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.build()
    before = world.rows("SELECT * FROM hours.time_entries ORDER BY 1")
    world.change("UPDATE tool.entries SET seconds = 60")
    build = run.build_table

    def fail(opened: object, model: object, name: str, *rest: object) -> object:
        if name == table:
            raise RuntimeError("killed")
        return build(opened, model, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "build_table", fail)
    with pytest.raises(RuntimeError, match="killed"):
        world.build()
    assert world.rows("SELECT * FROM hours.time_entries ORDER BY 1") == before


def test_one_table_alone_reads_the_others_as_they_are(world: World) -> None:
    # what is missing is built, too
    assert "time_entries" in world.build(["person_days"]).tables
    world.change("UPDATE tool.entries SET seconds = 60")
    assert _written(world.build(["person_days"])) == {}
    assert "holidays" not in world.build(["person_days"]).tables
    assert set(_written(world.build(["time_entries", "person_days"]))) == {
        "time_entries",
        "person_days",
    }


def test_a_table_of_an_older_version_is_made_again(world: World) -> None:
    world.build()
    world.change("ALTER TABLE hours.clients DROP COLUMN active")
    assert world.build().tables["clients"].rows_written == 2
    assert len(world.rows("SELECT * FROM hours.clients")[0]) == len(TABLES["clients"].columns)


def test_a_wrong_base_keeps_the_sums_from_being_built(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.build()
    before = world.rows("SELECT * FROM hours.person_days ORDER BY 1, 2")
    world.change("UPDATE tool.entries SET seconds = 60")
    build = run.build_table

    def lose_an_entry(opened, model, name, *rest):  # type: ignore[no-untyped-def]
        report = build(opened, model, name, *rest)
        if name == "time_entries":
            opened.change("DELETE FROM hours.time_entries WHERE source_id = '1'")
        return report

    monkeypatch.setattr(run, "build_table", lose_an_entry)
    report = world.build()
    assert set(report.kept_back) == {"person_days", "person_project_weeks"}
    finding = report.findings["time_entries", "hours_in_equal_hours_out"]
    assert finding.rows == (("tool", "missing", "1", 60, None),)
    assert world.rows("SELECT * FROM hours.person_days ORDER BY 1, 2") == before
