"""`references` and `checks`: merged, and refused if they lead nowhere."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from timetracking_assets.errors import SpecError, SpecErrors
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.resolve import resolve

SPEC: dict[str, Any] = {
    "name": "example",
    "client": {"base_url": "${EXAMPLE_URL}"},
    "resource_defaults": {
        "primary_key": "id",
        "endpoint": {"data_selector": "data", "paginator": "single_page"},
        "checks": {"durations": {"max_hours": 12, "severity": "error"}, "volume": None},
    },
    "resources": [
        {
            "name": "projects",
            "endpoint": {"path": "projects"},
            "columns": {"id": {"data_type": "bigint"}, "client_id": {"data_type": "bigint"}},
        },
        {
            "name": "entries",
            "endpoint": {"path": "entries"},
            "columns": {
                "id": {"data_type": "bigint"},
                "project_id": {"data_type": "bigint"},
                "day": {"data_type": "date"},
                "seconds": {"data_type": "bigint"},
                "note": {"data_type": "text"},
            },
            "references": {"project_id": "projects"},
            "checks": {"durations": {"max_hours": 16}, "nulls": {"columns": {"day": 0.1}}},
        },
    ],
}


def _resolve(**changes: Any) -> Api:
    spec = deepcopy(SPEC)
    spec["resources"][1].update(changes)
    return resolve(spec)


def test_a_resource_says_what_differs_from_the_defaults() -> None:
    checks = _resolve().resources["entries"].checks
    assert checks.durations is not None
    assert (checks.durations.max_hours, checks.durations.severity) == (16, "error")
    assert checks.volume is None
    assert checks.references is not None
    assert checks.references.severity == "warn"


def test_null_switches_a_check_off() -> None:
    checks = _resolve(checks={"durations": None}).resources["entries"].checks
    assert checks.durations is None
    assert checks.schema_changes is not None


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        (
            {"references": {"project_id": "project"}},
            ("references", "project_id"),
            "unknown resource",
        ),
        (
            {"references": {"projects_id": "projects"}},
            ("references", "projects_id"),
            "not declared in `columns` of 'entries'; did you mean `project_id`",
        ),
        (
            {"references": {"project.id": "projects"}},
            ("references", "project.id"),
            "not declared in `columns` of 'entries'; did you mean `project_id`",
        ),
        (
            {"references": {"owner.ref": "projects"}},
            ("references", "owner.ref"),
            "declare `owner__ref` there with its data_type",
        ),
        (
            {
                "columns": {"owner__ref": {"data_type": "bigint"}},
                "references": {"owner.ref": "projects"},
                "checks": {},
            },
            ("references", "owner.ref"),
            "'owner.ref' is called 'owner__ref' in the warehouse",
        ),
        (
            {"references": {"project_id": {"resource": "projects", "column": "number"}}},
            ("references", "project_id"),
            "not declared in `columns` of 'projects'",
        ),
        (
            {"checks": {"nulls": {"columns": {"days": 0}}}},
            ("checks", "nulls", "columns", "days"),
            "not declared",
        ),
    ],
)
def test_what_leads_nowhere_is_refused(
    changes: dict[str, Any], path: tuple[str, ...], words: str
) -> None:
    with pytest.raises(SpecError, match=words) as refusal:
        _resolve(**changes)
    assert refusal.value.path == ("resources", 1, *path)


def test_each_mistake_is_reported() -> None:
    with pytest.raises(SpecErrors) as refusal:
        _resolve(
            references={"owner.id": "people", "project_id": "project"},
            checks={"nulls": {"columns": {"dya": 0}}},
        )
    assert [error.path[2:] for error in refusal.value.each] == [
        ("references", "owner.id"),
        ("references", "owner.id"),
        ("references", "project_id"),
        ("checks", "nulls", "columns", "dya"),
    ]
