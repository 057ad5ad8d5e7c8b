"""What `timetracking hours` prints: tables that fit a terminal, CSV and JSON."""

from __future__ import annotations

import csv
import json
from datetime import date
from io import StringIO

import pytest
from rich.console import Console

from timetracking_assets.cli.hours import print_lines, to_json, write_csv
from timetracking_assets.hours.report import Line, Selection

LONG = "Amara Okafor-Lindqvist [of the studio] in a very long department name"
PEOPLE = [
    Line("Ada", 10_800, 7_200, 57_600, 0, 57_600, 0, 1, 2, key="ada@studio.example"),
    Line(LONG, 3_600_000, 1_200, 360_000_000, 28_800, 360_000_000, 0, 1_000, 2_000, key="tool:2"),
]
PROJECT = Line("Site", 12_000, 8_400, amounts=(("EUR", 233.3333), ("USD", 1.5)), key="tool:7")


def printed(by: str, lines: list[Line], width: int) -> str:
    console = Console(file=StringIO(), width=width)
    print_lines(by, lines, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_names_stay_whole_and_figures_in_their_columns_at_80() -> None:
    text = printed("person", PEOPLE, 80)
    lines = text.splitlines()
    assert all(len(line) <= 80 for line in lines), text
    assert LONG in lines
    figures = lines[lines.index(LONG) + 1]
    assert figures.split() == [
        "0.00",
        "8.00",
        "100,000.00",
        "1,000.00",
        "0.33",
        "0%",
        "0%",
        "1,000",
    ]
    assert figures.endswith("1,000")
    head = next(line for line in lines if "worked" in line and "planned" in line)
    assert head.index("planned") + len("planned") == figures.index("0.00") + len("0.00")
    assert "of 2,002 working days" in text


def test_names_are_beside_their_figures_where_there_is_room() -> None:
    [line] = [line for line in printed("person", PEOPLE, 200).splitlines() if LONG in line]
    assert "1,000.00" in line


def test_weeks_of_a_usual_company_fit_into_80_columns() -> None:
    week = Line("2026-03-02", 2_720_250, 2_033_700, 6_000_000, 562_250, 5_725_100, 815_500, 9, 99)
    lines = printed("week", [week] * 10, 80).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert sum(line.startswith("2026-03-02 ") and "%" in line for line in lines) == 10


def test_a_project_has_money_and_no_capacity() -> None:
    text = printed("project", [PROJECT], 80)
    assert "233.33 EUR; 1.50 USD" in text
    assert "planned" not in text
    assert "working days" not in text
    assert printed("project", [], 80) == "No hours match.\n"


def test_csv_has_names_and_keys_apart(capsys: pytest.CaptureFixture[str]) -> None:
    formula = Line("=HYPERLINK(1)", 60, 0, week=date(2026, 3, 2))
    write_csv("person-week", [formula])
    write_csv("person", PEOPLE)
    head, first, *rest = capsys.readouterr().out.splitlines()
    assert head.startswith("person,person_key,week,planned_seconds,capacity_seconds")
    assert first == "'=HYPERLINK(1),,2026-03-02,,,,,60,0,,,"
    rows = list(csv.DictReader(rest))
    assert [row["person_key"] for row in rows] == ["ada@studio.example", "tool:2"]
    assert rows[0]["due_days"] == "2"


def test_json_holds_what_the_table_shows() -> None:
    document = json.loads(
        to_json("person", Selection(last=date(2026, 3, 9)), PEOPLE, None, ["a note"])
    )
    assert document["notes"] == ["a note"]
    assert document["selection"]["last"] == "2026-03-09"
    assert document["lines"][0]["billable_of_available"] == 7_200 / 57_600
    assert document["lines"][0]["key"] == "ada@studio.example"
    assert document["total"]["worked_seconds"] == 3_610_800
    project = json.loads(to_json("project", Selection(), [PROJECT], None, []))
    assert project["total"]["planned_seconds"] is None
    assert project["lines"][0]["amounts"] == {"EUR": 233.3333, "USD": 1.5}
