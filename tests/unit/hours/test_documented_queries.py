"""The questions of the page about the model: each query runs on DuckDB and on PostgreSQL."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.hours import World

PAGE = (Path(__file__).parents[3] / "docs" / "hours.md").read_text()
QUESTIONS = PAGE.partition("## Questions")[2].partition("## Tables")[0]
QUERIES = re.findall(r"```sql\n(.*?);\n```", QUESTIONS, re.DOTALL)


def test_each_question_has_an_answer(world: World) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    later = tomorrow + timedelta(days=13)
    span = {"first": tomorrow, "last": later}
    world.put("tool.leave", {"id": 1, "people": "[2]", **span, "state": "ok"})
    world.put("tool.bookings", {"id": 1, "user_id": 1, **span, "hours": 20})
    world.change("DELETE FROM tool.entries WHERE id = 2")
    world.build()
    assert len(QUERIES) == 9
    for query in QUERIES:
        assert world.rows(query), query


def test_all_of_a_person_and_day_is_one_query(world: World) -> None:
    world.build()
    [*_, first] = world.rows(QUERIES[0])
    assert [str(value) for value in first[:2]] == ["Ben", "2026-03-02"]
    assert [float(value) for value in first[2:]] == pytest.approx([8, 0, 8, 0, 1 / 3, 1 / 3])
