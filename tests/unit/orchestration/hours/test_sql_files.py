"""SQL files on top of the model: what they read, and what is refused, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from timetracking_assets.errors import SpecError
from timetracking_assets.orchestration.hours.sql_files import SqlFile, read_sql_files, sql_asset

APIS = {"clock": ["entries", "users"]}


def _read(folder: Path, **files: str) -> list[SqlFile]:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return read_sql_files(folder, APIS)


def test_what_a_file_reads_is_read_from_its_sql(tmp_path: Path) -> None:
    team, top = _read(
        tmp_path,
        team_hours="-- Hours of the whole team on a day.\n"
        "WITH d AS (SELECT day, sum(worked_seconds) AS s FROM hours.person_days GROUP BY day)\n"
        "SELECT d.day, s / 3600.0 AS hours FROM d JOIN Clock.Entries AS t USING (day)\n"
        "WHERE EXISTS (SELECT 1 FROM d AS e, range(3)); -- the end\n",
        top_days="\nFROM hours.team_hours",
    )
    assert (team.table, team.description) == ("team_hours", "Hours of the whole team on a day.")
    assert team.reads == (("clock", "entries"), ("hours", "person_days"))
    assert team.sql.endswith("range(3))")
    assert (top.reads, top.description) == ((("hours", "team_hours"),), None)
    # lines are numbered as in the file
    assert top.sql.startswith("\n")


def test_its_asset_has_the_owners_of_the_model_and_links_to_the_dashboard(tmp_path: Path) -> None:
    [file] = _read(tmp_path, team_hours="SELECT 1 AS one")
    [spec] = sql_asset(file, ["ada@studio.example"]).specs
    assert list(spec.owners) == ["ada@studio.example"]
    assert str(spec.metadata["health"].value).endswith("/#asset-hours-team_hours")


@pytest.mark.parametrize(
    ("name", "sql", "message"),
    [
        ("person_days", "SELECT 1", ": 'person_days' is a table of the model"),
        ("Team-Days", "SELECT 1", ": 'Team-Days' is no name of a table"),
        ("days", "SELECT 1; SELECT 2", ": holds 2 statements: write one SELECT"),
        ("days", "-- nothing yet", ": holds 0 statements: write one SELECT"),
        ("days", "DROP TABLE hours.people", ": is no SELECT"),
        ("days", "SELECT *\nFROM hourz.people", ":2: there is no schema 'hourz'; there are: clock"),
        (
            "days",
            "SELECT *\n\nFROM hours.people_days AS d",
            ":3: there is no table hours.people_days; is it hours.person_days?",
        ),
        ("days", "SELECT * FROM clock.nothing", ":1: there is no table clock.nothing"),
        ("days", "SELECT *\nFROM entries", ":2: entries has no schema: write clock.entries"),
        ("days", "SELECT * FROM other.hours.people", ":1: there is no table other.hours.people"),
        ("days", "SELECT *\nFROM hours.days", ":2: reads the table it makes"),
        ("days", "SELECT a\nFROM (", ":2: Expected table name near `(`"),
        ("days", "SELECT a\nFROM x WHERE 'abc", ": "),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, sql: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        _read(tmp_path, **{name: sql})
    assert str(caught.value).startswith(f"{tmp_path / name}.sql{message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "days.sql").write_bytes(b"SELECT '\xff'")
    with pytest.raises(SpecError, match=r"days\.sql: is no UTF-8 text"):
        read_sql_files(tmp_path, APIS)


def test_files_that_read_each_other(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        _read(
            tmp_path,
            a="SELECT * FROM hours.b",
            b="SELECT * FROM hours.c",
            c="SELECT * FROM hours.a",
            d="SELECT * FROM hours.a",
        )
    [only] = caught.value.each
    assert only.message == (
        f"{tmp_path}/a.sql: the files read each other: a.sql -> b.sql -> c.sql -> a.sql"
    )


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        _read(tmp_path, a="SELECT * FROM nope.x JOIN\n hours.nope USING (id)", b="SELEC 1")
    assert [mistake.message.split(": ")[0] for mistake in caught.value.each] == [
        f"{tmp_path}/a.sql:1",
        f"{tmp_path}/a.sql:2",
        f"{tmp_path}/b.sql:1",
    ]
