"""Tables made of raw rows: accounts, days and seconds of entries, ids, columns that are missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours import ENTRIES, PROJECTS, USERS, World, entry, tool

ENTRIES_ONLY = ["people_in_sources", "time_entries"]


def test_accounts_with_one_address_are_one_person(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    world = World.of(
        new_warehouse(tmp_path),
        tool("one"),
        tool("two"),
        identity={"people": {"Ada@studio.example": {"two": [5]}, "Cy": {"one": [9]}}},
    )
    world.put(
        "one.users",
        {"id": 1, "email": " ADA@studio.example"},
        {"id": 2, "email": "  "},
        {"id": 9, "email": None},
    )
    world.put("two.users", {"id": 4, "email": "ben@studio.example"}, {"id": 5, "email": None})
    world.build()
    people = world.rows(
        "SELECT source, source_id, person_key, matched_by FROM hours.people_in_sources "
        "ORDER BY 1, 2"
    )
    assert people == [
        ("one", "1", "ada@studio.example", "email"),
        ("one", "2", "one:2", "unmatched"),
        ("one", "9", "Cy", "identity"),
        ("two", "4", "ben@studio.example", "email"),
        ("two", "5", "ada@studio.example", "identity"),
    ]
    assert world.rows(
        "SELECT accounts, sources FROM hours.people WHERE person_key = 'ada@studio.example'"
    ) == [(2, "one,two")]


@pytest.mark.parametrize(
    ("zone", "day"), [("Europe/Berlin", 4), ("America/New_York", 3), ("Nowhere/Else", 4)]
)
def test_an_entry_is_of_the_day_on_which_it_starts_where_its_person_is(
    world: World, zone: str, day: int
) -> None:
    world.put("tool.users", {"id": 1, "email": "ada@studio.example", "zone": zone})
    world.put("tool.entries", entry(1, "2026-03-03T23:30:00+00:00", "2026-03-03T23:50:00+00:00"))
    world.build(ENTRIES_ONLY)
    # the model's zone is Berlin
    assert world.rows("SELECT day FROM hours.time_entries") == [(date(2026, 3, day),)]


@pytest.mark.parametrize(
    ("unit", "data_type", "value", "seconds"),
    [
        ("seconds", "bigint", 90, 90),
        ("minutes", "double", 1.5, 90),
        ("hours", "double", 0.33, 1188),
        ("iso8601", "text", "PT2H30M", 9000),
        ("iso8601", "text", "P1DT0.5H", 88_200),
        ("iso8601", "text", "-PT15M", -900),
        ("iso8601", "text", "PT1.5S", 2),
        ("iso8601", "text", "P1M", None),
        ("iso8601", "text", "two hours", None),
        ("iso8601", "text", "", None),
        ("iso8601", "text", "P", None),
    ],
)
def test_units(
    new_warehouse: Callable[[Path], Any],
    tmp_path: Path,
    unit: str,
    data_type: str,
    value: Any,
    seconds: int | None,
) -> None:
    entries = {
        "name": "entries",
        "endpoint": {"path": "entries"},
        "columns": {
            "id": {"data_type": "bigint"},
            "day": {"data_type": "date"},
            "worked": {"data_type": data_type},
        },
        "unified": {"time_entries": {"id": "id", "day": "day", unit: "worked"}},
    }
    world = World.of(new_warehouse(tmp_path), tool("tool", entries))
    world.put("tool.entries", {"id": 1, "day": "2026-03-02", "worked": value})
    world.build(ENTRIES_ONLY)
    assert world.rows("SELECT seconds, running FROM hours.time_entries") == [(seconds, False)]
    found = world.finding("time_entries", "hours_in_equal_hours_out")
    assert (found.count, found.facts["seconds_in"]) == (0, seconds or 0)


@pytest.mark.parametrize(
    ("stop", "seconds", "running", "counted"),
    [
        (None, None, True, None),
        (None, 0, True, None),
        (None, -1_772_438_400, True, None),
        ("2026-03-02T10:00:00+00:00", -1_772_438_400, True, None),
        (None, 1800, False, 1800),
        ("2026-03-02T10:00:00+00:00", -1800, False, -1800),
        ("2026-03-02T10:00:00+00:00", 0, False, 0),
    ],
)
def test_running_timers(
    world: World, stop: str | None, seconds: int | None, running: bool, counted: int | None
) -> None:
    world.put("tool.entries", entry(1, "2026-03-02T08:00:00+00:00", stop, seconds=seconds))
    world.build(ENTRIES_ONLY)
    assert world.rows("SELECT running, seconds FROM hours.time_entries") == [(running, counted)]
    assert world.finding("time_entries", "hours_in_equal_hours_out").count == 0
    assert world.finding("time_entries", "no_running_timers").count == int(running)


def test_without_a_unit_start_and_end_say_how_long(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    unified = dict(ENTRIES["unified"]["time_entries"])  # type: ignore[index]
    del unified["seconds"]
    spans = {**ENTRIES, "unified": {"time_entries": unified}}
    world = World.of(new_warehouse(tmp_path), tool("tool", USERS, PROJECTS, spans))
    # an hour is missing on that night in Berlin
    night = entry(1, "2026-03-28T23:00:00+01:00", "2026-03-29T04:00:00+02:00", seconds=None)
    world.put("tool.entries", night)
    world.build(ENTRIES_ONLY)
    assert world.rows("SELECT seconds FROM hours.time_entries") == [(4 * 3600,)]
    assert world.finding("time_entries", "hours_in_equal_hours_out").count == 0


def test_an_entry_without_a_client_is_its_projects(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    mapping = {**ENTRIES["unified"]["time_entries"]}
    del mapping["client"]
    entries = {**ENTRIES, "unified": {"time_entries": mapping}}
    world = World.of(new_warehouse(tmp_path), tool("tool", USERS, PROJECTS, entries))
    world.put("tool.projects", {"id": 7, "client_id": 3}, {"id": 8})
    world.put(
        "tool.entries",
        *(
            entry(number, "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z", project_id=project)
            for number, project in enumerate((7, 8, 9, None))
        ),
    )
    world.build()
    clients = "SELECT source_id, client_key FROM hours.time_entries ORDER BY 1"
    assert world.rows(clients) == [("0", "tool:3"), ("1", None), ("2", None), ("3", None)]
    # a project that changes hands changes its entries
    world.put("tool.projects", {"id": 7, "client_id": 4}, {"id": 8})
    world.build()
    assert world.rows(clients)[0] == ("0", "tool:4")


def test_columns_that_no_row_has_had_are_null(world: World) -> None:
    world.change('ALTER TABLE tool.projects DROP COLUMN "rate"')
    world.change('ALTER TABLE tool.entries DROP COLUMN "note"')
    world.build()
    assert world.rows("SELECT DISTINCT rate, note FROM hours.time_entries") == [(None, None)]


def test_a_column_that_became_text_gives_what_it_can(world: World) -> None:
    world.put(
        "tool.entries",
        entry(1, "2026-03-02T08:00:00+00:00", "2026-03-02T09:00:00+00:00", seconds="3600"),
        entry(2, "2026-03-02T10:00:00+00:00", "2026-03-02T11:00:00+00:00", seconds="an hour"),
        types={"seconds": "text"},
    )
    world.build()
    rows = world.rows("SELECT seconds FROM hours.time_entries ORDER BY source_id")
    assert rows == [(3600,), (None,)]
    assert world.finding("time_entries", "durations_plausible").count == 1


def test_ids_of_several_resources_differ_by_their_resource(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    def days_off(name: str) -> dict[str, Any]:
        columns = {"id": {"data_type": "bigint"}, "day": {"data_type": "date"}}
        holidays = {"id": "id", "first_day": "day"}
        endpoint = {"path": name}
        unified = {"holidays": holidays}
        return {"name": name, "endpoint": endpoint, "columns": columns, "unified": unified}

    world = World.of(new_warehouse(tmp_path), tool("tool", days_off("public"), days_off("own")))
    for name in ("public", "own"):
        world.put(f"tool.{name}", {"id": 1, "day": "2026-03-02"})
    world.build()
    assert world.rows("SELECT holiday_key FROM hours.holidays ORDER BY 1") == [
        ("tool:own:1",),
        ("tool:public:1",),
    ]
    assert world.finding("holidays", "keys_unique").count == 0


def test_a_reference_by_another_column_than_the_key_multiplies_nothing(
    new_warehouse: Callable[[Path], Any], tmp_path: Path
) -> None:
    members = {
        "name": "members",
        "endpoint": {"path": "members"},
        "columns": {
            "id": {"data_type": "bigint"},
            "user_id": {"data_type": "bigint"},
            "zone": {"data_type": "text"},
        },
        "unified": {"people": {"id": "user_id", "distinct": True}},
    }
    unified = {**ENTRIES["unified"]["time_entries"], "timezone": "user_id.zone"}  # type: ignore[index]
    entries = {
        **ENTRIES,
        "references": {
            **ENTRIES["references"],  # type: ignore[dict-item]
            "user_id": {"resource": "members", "column": "user_id"},
        },
        "unified": {"time_entries": unified},
    }
    world = World.of(new_warehouse(tmp_path), tool("tool", members, PROJECTS, entries))
    world.put("tool.members", *({"id": n, "user_id": 1, "zone": "UTC"} for n in (1, 2)))
    world.put("tool.entries", entry(1, "2026-03-02T08:00:00+00:00", "2026-03-02T09:00:00+00:00"))
    world.build()
    assert world.rows("SELECT count(*) FROM hours.time_entries") == [(1,)]
    assert world.rows("SELECT count(*) FROM hours.people") == [(1,)]
