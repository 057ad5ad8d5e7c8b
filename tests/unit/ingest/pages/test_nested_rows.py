"""Rows are taken from wherever an answer holds them, with the keys that give them meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from timetracking_assets.errors import AnswerError, SpecError
from timetracking_assets.ingest.pages.page import split_answer
from timetracking_assets.redaction import Redactor
from timetracking_assets.spec.api import Api, Resource

MakeResource = Callable[..., Resource]
TASKS = {"results": {"tasks": {"11": {"id": 11}, "12": {"id": 12}}}, "pages": 3}
GROUPS = {
    "groups": [
        {"id": 7, "name": {"first": "A"}, "rows": [{"x": 1}, {"x": 2}]},
        {"id": 8, "rows": []},
        {"id": 9, "rows": None},
        {"id": 10, "rows": [{"x": 3}]},
    ]
}


def split(
    resource: MakeResource, body: Any, selector: str, outer: dict[str, str] | None = None
) -> tuple[list[Any], dict[str, Any]]:
    entries = resource(data_selector=selector, outer_fields=outer or {})
    rows, envelope = split_answer(json.dumps(body).encode(), entries, "page 1", Redactor([]))
    return [json.loads(bytes(row)) for row in rows], envelope


@pytest.mark.parametrize(
    ("body", "selector", "outer", "rows"),
    [
        (TASKS, "results.tasks.*", {}, [{"id": 11}, {"id": 12}]),
        (TASKS, "results.tasks[*]", {"key": "results.tasks.*"},
         [{"key": "11", "id": 11}, {"key": "12", "id": 12}]),
        ({"11": {"a": 1}}, "*", {"id": "*"}, [{"id": "11", "a": 1}]),
        ({"11": {"a": 1}}, "$.*", {"id": "$.*"}, [{"id": "11", "a": 1}]),
        (GROUPS, "groups.*.rows", {}, [{"x": 1}, {"x": 2}, {"x": 3}]),
        (GROUPS, "groups[*].rows", {"group": "groups.*.id", "first": "groups[*].name.first",
                                    "nth": "groups.*"},
         [{"group": 7, "first": "A", "nth": 0, "x": 1},
          {"group": 7, "first": "A", "nth": 0, "x": 2},
          {"group": 10, "first": None, "nth": 3, "x": 3}]),
        ({"days": {"2026-01-01": [{"h": 1}, {"h": 2}], "2026-01-02": [{"h": 3}]}}, "days.*",
         {"day": "days.*"}, [{"day": "2026-01-01", "h": 1}, {"day": "2026-01-01", "h": 2},
                             {"day": "2026-01-02", "h": 3}]),
        ({"u": {"5": {"2026": {"h": 1}}}}, "u.*.*", {"user": "u.*", "year": "u.*.*"},
         [{"user": "5", "year": "2026", "h": 1}]),
        ({"hours": {"2026-01-01": 7.50}}, "hours.*", {"day": "hours.*"},
         [{"day": "2026-01-01", "value": 7.5}]),
        ([[{"a": 1}], [{"a": 2}]], "*", {}, [{"a": 1}, {"a": 2}]),
        ({"tasks": {}}, "tasks.*", {"id": "tasks.*"}, []),
        ({"tasks": []}, "tasks.*", {"id": "tasks.*"}, []),
    ],
)  # fmt: skip
def test_rows_in_several_places(
    resource: MakeResource, body: Any, selector: str, outer: dict[str, str], rows: list[Any]
) -> None:
    assert split(resource, body, selector, outer)[0] == rows


def test_what_is_around_them_stays_for_the_paginator(resource: MakeResource) -> None:
    assert split(resource, TASKS, "results.tasks.*")[1] == {"pages": 3, "results": {}}


def test_numbers_keep_their_digits(resource: MakeResource) -> None:
    entries = resource(data_selector="*", outer_fields={"id": "*"})
    body = b'{"1": {"h": 1.10, "n": 123456789012345678901234567890}}'
    [row], _ = split_answer(body, entries, "page 1", Redactor([]))
    assert bytes(row) == b'{"id":"1","h":1.10,"n":123456789012345678901234567890}'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"tasks": 5}, "has no rows at `tasks.*`"),
        ({"other": {}}, "has nothing at `tasks.*`: there is no 'tasks'"),
        ({"tasks": {"1": {"id": 2}}}, "has rows with a field `id` of their own"),
    ],
)
def test_other_shapes_are_refused(resource: MakeResource, body: Any, message: str) -> None:
    with pytest.raises(AnswerError) as refused:
        split(resource, body, "tasks.*", {"id": "tasks.*"})
    assert message in str(refused.value)


@pytest.mark.parametrize("outer", ["tasks", "other.*", "tasks.*.x.*", "*"])
def test_an_outer_field_is_on_the_way_to_the_rows(api: Callable[..., Api], outer: str) -> None:
    endpoint = {"path": "entries", "data_selector": "tasks.*"}
    entries = {"name": "entries", "endpoint": endpoint, "outer_fields": {"id": outer}}
    with pytest.raises(SpecError, match="is not on the way to the rows"):
        api(entries)
    api({**entries, "outer_fields": {"id": "tasks.*"}})
