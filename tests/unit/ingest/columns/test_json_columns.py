"""JSON columns hold what the answer held, digit for digit."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timetracking_assets.ingest.columns.json_columns import take_json_columns

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def take(*rows: str, path: tuple[str, ...] = ("a",)) -> tuple[list[Any], list[str | None]]:
    rest, columns = take_json_columns([msgspec.Raw(row.encode()) for row in rows], [path])
    return [json.loads(bytes(row)) for row in rest], columns[path].to_pylist()


@pytest.mark.parametrize(
    "text",
    [
        "123456789012345678901234567890",
        "1.10",
        "-0.0",
        "1e400",
        "[1, 2.50 ,{}]",
        '{"b":{"c":[9007199254740993]}}',
        '"\\u00e4\\n\\"ä😀"',
        "true",
        "[]",
        "[null]",
    ],
)
def test_text_is_taken_as_it_is(text: str) -> None:
    assert take(f'{{"id": 1, "a":{text}, "z": 2.5}}') == ([{"id": 1, "z": 2.5}], [text])


def test_null_and_missing_are_null() -> None:
    rest, texts = take('{"id": 1, "a": null}', '{"id": 2}', '{"id": 3, "a": "null"}')
    assert texts == [None, None, '"null"']
    assert rest == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_nested_fields_leave_their_object() -> None:
    rest, texts = take(
        '{"o": {"a": [1.0], "b": 2}}', '{"o": null}', "{}", '{"o": 5}', path=("o", "a")
    )
    assert texts == ["[1.0]", None, None, None]
    assert rest == [{"o": {"b": 2}}, {"o": None}, {}, {"o": 5}]


def test_without_paths_rows_stay_as_they_are() -> None:
    rows = [msgspec.Raw(b'{"a": 1.10}')]
    assert take_json_columns(rows, []) == (rows, {})


@given(VALUES)
def test_any_value_reads_back_the_same(value: Any) -> None:
    rest, [text] = take(json.dumps({"a": value, "id": 1}))
    assert rest == [{"id": 1}]
    assert (None if text is None else json.loads(text)) == value
