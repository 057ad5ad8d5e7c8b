"""`unified`: what is refused at load, with the key and what would be right."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.support.builders import build_api
from tests.support.hours import ENTRIES, LEAVE, PROJECTS, USERS, tool
from timetracking_assets.errors import SpecError, SpecErrors
from timetracking_assets.spec.hours_model import HoursModelSpec, check_hours_model

_PATH = ("resources", 2, "unified", "time_entries")


def _changed(resource: dict[str, Any], table: str, **changes: Any) -> dict[str, Any]:
    changed = deepcopy(resource)
    mapping = changed["unified"][table]
    mapping.update(changes)
    changed["unified"][table] = {k: v for k, v in mapping.items() if v is not None}
    return changed


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"project": "projct_id"}, ("project",), "not declared in `columns` of 'entries'"),
        ({"client": "project_id.customer"}, ("client",), "not declared in `columns` of 'projects'"),
        ({"client": "kind.id"}, ("client",), "refers to nothing"),
        ({"seconds": "note"}, ("seconds",), "data_type bigint or double or decimal"),
        ({"hours": "seconds"}, ("hours",), "a duration has one unit"),
        ({"seconds": None, "end": None}, (), "needs a unit"),
        ({"start": None}, (), "needs `day` or `start`"),
        ({"billable": "kind"}, ("billable",), "data_type bool"),
        ({"billable": {"column": "kind", "map": {"x": "yes"}}}, ("billable",), "neither true"),
        ({"billable": {"map": {"x": True}}}, ("billable",), "one of `column`, `sql` and `value`"),
        (
            {"billable": {"sql": "true", "map": {"x": True}}},
            ("billable", "map"),
            "needs a `column`",
        ),
        ({"rate": {"sql": "{project_id.price} * 2"}}, ("rate",), "'price' is not declared"),
        ({"rate": {"column": "kind", "value": 1}}, ("rate",), "one of `column`, `sql` and `value`"),
        ({"person": "$each"}, ("person",), "needs `each`"),
        ({"each": "note"}, ("each",), "data_type json"),
    ],
)
def test_refused(changes: dict[str, Any], key: tuple[str, ...], words: str) -> None:
    with pytest.raises(SpecError) as error:
        tool("tool", USERS, PROJECTS, _changed(ENTRIES, "time_entries", **changes))
    assert error.value.path == (*_PATH, *key)
    assert words in error.value.message


def test_each_mistake_of_a_mapping_is_reported() -> None:
    changes = {"project": "projct_id", "client": "kind.id", "start": "strat", "seconds": "note"}
    with pytest.raises(SpecErrors) as error:
        tool("tool", USERS, PROJECTS, _changed(ENTRIES, "time_entries", **changes))
    assert {each.path[-1] for each in error.value.each} == changes.keys()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": {"column": "state", "map": {"ok": "agreed"}}}, "'agreed' is not one of"),
        ({"status": "state"}, "needs a `map` to the model's approved"),
    ],
)
def test_words_of_the_model(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as error:
        tool("tool", _changed(LEAVE, "absences", **changes))
    assert error.value.path[-1] == "status"
    assert words in error.value.message


def test_an_unknown_table_or_key_is_refused() -> None:
    for unified, path in (
        ({"entries": {"id": "id"}}, ("entries",)),
        ({"people": {"id": "id", "mail": "email"}}, ("people", "mail")),
    ):
        with pytest.raises(SpecError) as error:
            tool("tool", {**USERS, "unified": unified})
        assert error.value.path == ("resources", 0, "unified", *path)


def test_a_resource_that_is_left_out_takes_the_paths_through_it_along() -> None:
    api = build_api(USERS, PROJECTS, ENTRIES, exclude=["projects"])
    mapping = api.resources["entries"].unified.time_entries
    assert mapping is not None
    assert (mapping.client, mapping.rate) == (None, None)
    assert mapping.project is not None


def test_numbers_and_booleans_may_be_words() -> None:
    mapped = {"column": "kind", "map": {0: False, 1: True, "true": True}}
    api = tool("tool", USERS, PROJECTS, _changed(ENTRIES, "time_entries", billable=mapped))
    mapping = api.resources["entries"].unified.time_entries
    assert set(mapping.billable.map) == {"0", "1", "true"}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"precedence": {"absences": ["tool", "toll"]}}, ("precedence", "absences", 1)),
        ({"copies": {"duckdb": "~/hours.duckdb"}}, ("copies", "duckdb")),
        ({"identity": {"people": {"ada": {"toll": [1]}}}}, ("identity", "people", "ada", "toll")),
        (
            {"identity": {"people": {"ada": {"tool": [1]}, "ben": {"tool": ["1"]}}}},
            ("identity", "people", "ben", "tool"),
        ),
    ],
)
def test_a_model_that_is_refused(spec: dict[str, Any], path: tuple[Any, ...]) -> None:
    with pytest.raises(SpecError) as error:
        check_hours_model(HoursModelSpec.model_validate(spec), {"tool": tool()})
    assert error.value.path == path
