"""`resource_defaults` under each resource: what merges, what replaces, where a value is written."""

from collections.abc import Callable
from typing import Any

import pytest

from timetracking_assets.errors import SpecError
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.defaults import WithDefaults, written_at

Resolve = Callable[..., Api]


def merged(own: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return dict(WithDefaults.of({"name": "entries", **own}, defaults).attributes)


def test_maps_of_parts_merge_and_other_values_replace() -> None:
    result = merged(
        {
            "columns": {"id": {"data_type": "text"}},
            "checks": {"volume": {"weeks": 4}, "nulls": None},
            "freshness": {"warn_hours": 1},
            "owners": [],
        },
        {
            "columns": {"id": {"data_type": "bigint", "nullable": False}, "day": {}},
            "checks": {"volume": {"min_rows": 5}, "nulls": {"columns": {"id": 0}}},
            "freshness": {"fail_hours": 2},
            "owners": ["team:data"],
        },
    )
    assert result["columns"] == {"id": {"data_type": "text"}, "day": {}}
    assert result["checks"] == {"volume": {"min_rows": 5, "weeks": 4}, "nulls": None}
    assert result["freshness"] == {"warn_hours": 1}
    assert result["owners"] == []


def test_null_takes_a_key_out_where_it_is_no_value() -> None:
    defaults = {"max_pages": 5, "page_size": 50, "endpoint": {"params": {"a": 1, "b": 2}}}
    result = merged(
        {"max_pages": None, "page_size": None, "endpoint": {"params": {"a": None}}}, defaults
    )
    assert (result["max_pages"], result["page_size"]) == (5, None)
    assert result["endpoint"]["params"] == {"b": 2}


def test_null_takes_a_column_out() -> None:
    defaults = {"columns": {"id": {"data_type": "bigint"}, "day": {"data_type": "date"}}}
    assert list(merged({"columns": {"day": None}}, defaults)["columns"]) == ["id"]
    assert merged({"columns": {"day": None}}, {})["columns"] == {}


@pytest.mark.parametrize(
    ("own", "paginator"),
    [
        ({"maximum_page": 3}, {"type": "page_number", "base_page": 1, "maximum_page": 3}),
        ({"type": "offset", "limit": 5}, {"type": "offset", "limit": 5}),
        ("single_page", "single_page"),
    ],
)
def test_a_paginator_without_a_type_changes_the_default(own: Any, paginator: Any) -> None:
    defaults = {"endpoint": {"paginator": {"type": "page_number", "base_page": 1}}}
    assert merged({"endpoint": {"paginator": own}}, defaults)["endpoint"]["paginator"] == paginator


def test_a_paginator_of_no_type_is_refused(api: Resolve) -> None:
    with pytest.raises(SpecError, match="needs a `type`") as refused:
        api(
            {"name": "entries", "endpoint": {"path": "e", "paginator": {"base_page": 1}}},
            resource_defaults={"primary_key": "id", "endpoint": {"data_selector": "data"}},
        )
    assert refused.value.path == ("resources", 0, "endpoint", "paginator")


ATTRIBUTES = {
    "resource_defaults": {
        "page_size": 0,
        "columns": {"day": {"data_type": "date"}},
        "endpoint": {"params": {"a": 1}, "paginator": {"type": "offset"}},
    },
    "resources": [
        {"name": "entries", "columns": {"id": {}}, "endpoint": {"paginator": {"limit": 1}}}
    ],
}


@pytest.mark.parametrize(
    ("below", "default"),
    [
        (("page_size",), True),
        (("columns", "day", "data_type"), True),
        (("columns", "id", "data_type"), False),
        (("endpoint", "params", "a"), True),
        (("endpoint", "paginator", "type"), True),
        (("endpoint", "paginator", "limit"), False),
        (("endpoint",), False),
        (("max_pages",), False),
    ],
)
def test_a_value_is_written_in_the_resource_or_in_the_defaults(
    below: tuple[str, ...], default: bool
) -> None:
    expected = ("resource_defaults", *below) if default else ("resources", 0, *below)
    assert written_at(ATTRIBUTES, ("resources", 0, *below)) == expected


@pytest.mark.parametrize("path", [(), ("client",), ("resources", 0), ("resources", 7, "name")])
def test_a_path_to_no_value_of_a_resource_stays(path: tuple[str | int, ...]) -> None:
    assert written_at(ATTRIBUTES, path) == path


@pytest.mark.parametrize(
    "given",
    [
        {"resource_defaults": "none"},
        {"resource_defaults": {"endpoint": "path"}},
        {"resource_defaults": {"columns": ["id"]}},
        {"resources": "all"},
        {"resources": ["people"]},
        {"resources": [{"name": "people", "endpoint": "people"}]},
        {"resources": [{"name": "people", "columns": ["id"]}]},
    ],
)
def test_wrong_shapes_are_refused_and_not_stumbled_over(
    api: Resolve, given: dict[str, Any]
) -> None:
    with pytest.raises(SpecError):
        api({"name": "people", "endpoint": {"path": "people"}}, **given)


def test_a_default_that_does_not_apply_is_ignored(api: Resolve) -> None:
    """What is refused as a resource's own word is not refused as a default."""
    defaults = {
        "primary_key": "id",
        "endpoint": {"data_selector": "data", "paginator": {"type": "page_number"}},
    }
    keys = {"lookback": 3, "full_reread": "weekly", "probe": {"interval": 60}}
    people = {"name": "people", "endpoint": {"path": "people"}}
    automation = api(people, resource_defaults={**defaults, **keys}).resources["people"].automation
    assert (automation.lookback, automation.full_reread, automation.probe) == (0, None, None)
    for key, value in keys.items():
        with pytest.raises(SpecError) as refused:
            api({**people, key: value}, resource_defaults=defaults)
        assert refused.value.path == ("resources", 0, key)
