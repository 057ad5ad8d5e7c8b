"""What is known of a load's columns, and which of their types may still change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from timetracking_assets.ingest.columns.column_types import ColumnTypes, WidenedError

if TYPE_CHECKING:
    from tests.support.builders import MakeResource

DECLARED: dict[str, Any] = {
    "id": {"data_type": "bigint"},
    "day": {"data_type": "date", "nullable": False},
    "seconds": {"data_type": "timestamp", "format": "unix_seconds"},
    "note": {"data_type": "bigint", "on_type_mismatch": "text"},
}


@pytest.fixture
def types(resource: MakeResource) -> ColumnTypes:
    """Declared columns, `rate` and `number`, which the table has, and `new`, which is inferred."""
    known: dict[str, Any] = {name: spec["data_type"] for name, spec in DECLARED.items()}
    known |= {"rate": "double", "number": "text", "new": "bigint"}
    return ColumnTypes(
        resource(columns=DECLARED), known, stored={"rate", "number"}, guessed={"rate"}
    )


def test_an_inferred_type_may_change_until_it_is_written(types: ColumnTypes) -> None:
    types.widen("new", "double")
    assert types.by_name["new"] == "double"
    types.seen.add("new")
    with pytest.raises(WidenedError, match="new is text") as error:
        types.widen("new", "text")
    assert (error.value.column, error.value.data_type) == ("new", "text")
    assert types.by_name["new"] == "double"


@pytest.mark.parametrize("name", ["id", "rate"])
def test_a_given_type_changes_only_while_types_are_learned(
    types: ColumnTypes, resource: MakeResource, name: str
) -> None:
    with pytest.raises(WidenedError):
        types.widen(name, "text")
    learning = ColumnTypes(
        resource(columns=DECLARED), types.by_name, stored={"rate"}, learning=True
    )
    learning.widen(name, "text")
    assert learning.by_name[name] == "text"
    assert name in learning.any_text
    assert types.by_name[name] != "text"


def test_text_that_was_made_of_other_values_is_taken_out_of_the_rows(types: ColumnTypes) -> None:
    assert not types.is_taken_out("new")
    types.widen("new", "text")
    assert types.is_taken_out("new")
    assert not types.is_taken_out("number")
    types.mixed.add("rate")
    assert types.is_taken_out("rate")


def test_the_type_on_the_wire_is_that_of_the_rows(types: ColumnTypes) -> None:
    wire = {name: types.wire_type(name) for name in ("id", "day", "seconds", "rate")}
    assert wire == {
        "id": pa.int64(),
        "day": pa.string(),
        "seconds": pa.int64(),
        "rate": pa.float64(),
    }


def test_only_given_columns_that_may_be_null_take_placeholders(types: ColumnTypes) -> None:
    assert [name for name in types.by_name if types.may_have_placeholders(name)] == [
        "seconds",
        "note",
        "rate",
        "number",
    ]


def test_a_column_becomes_text_where_it_is_declared_so_or_its_type_was_a_guess(
    types: ColumnTypes,
) -> None:
    assert [name for name in types.by_name if types.may_become_text(name)] == ["note", "rate"]


def test_stored_text_that_nobody_declared_takes_digits(types: ColumnTypes) -> None:
    assert [name for name in types.by_name if types.may_take_digits(name)] == ["number"]


def test_given_columns_are_never_forgotten(types: ColumnTypes) -> None:
    for name in list(types.by_name):
        types.forget(name)
    assert types.by_name.keys() == {*DECLARED, "rate", "number"}


def test_columns_inside_of_an_object_are_those_with_its_name_in_front(
    resource: MakeResource,
) -> None:
    known: dict[str, Any] = dict.fromkeys(["a__b", "a__c", "a", "ab__c"], "text")
    types = ColumnTypes(resource(), known, stored={"a__b", "ab__c"})
    assert types.given_inside("a") == ["a__b"]
