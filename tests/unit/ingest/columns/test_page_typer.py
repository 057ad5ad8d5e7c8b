"""Pages become tables whose types are given or inferred once; nothing is lost."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from timetracking_assets.errors import AnswerError, TypeMismatchError
from timetracking_assets.ingest.columns import page_typer as columnar
from timetracking_assets.ingest.columns.page_typer import PageTyper, WidenedError
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.spec.api import Resource, column_name
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.types import ARROW_TYPES

MakeResource = Callable[..., Resource]
MakePage = Callable[..., Page]
Load = Callable[..., list[pa.Table]]


@pytest.fixture(scope="session")
def load(resource: MakeResource, page: MakePage) -> Load:
    """Types pages (lists of rows) as a load does: once more where a column widens."""

    def load_pages(
        *pages: Sequence[Any],
        known: Mapping[str, DataType] | None = None,
        from_parent: dict[str, Any] | None = None,
        **given: Any,
    ) -> list[pa.Table]:
        inferred: dict[str, DataType] = {}
        asked = [
            page(*rows, number=number, from_parent=dict(from_parent or {}))
            for number, rows in enumerate(pages, 1)
        ]
        for _ in range(4):
            # what the table has is widened before the pages are read again
            stored = {name: inferred.get(name, kind) for name, kind in (known or {}).items()}
            typer = PageTyper(resource(**given), stored, inferred)
            try:
                with pytest.MonkeyPatch.context() as patch:
                    # each page is parsed while those before it may still teach of its fields
                    patch.setattr(columnar, "_BATCH_ROWS", 0)
                    return [table for table, _ in typer.tables(asked)]
            except WidenedError as widened:
                inferred[widened.column] = widened.data_type
                inferred = PageTyper(resource(**given), stored, inferred).learn(asked)
        raise AssertionError(f"no end of widening: {inferred}")

    return load_pages


def values(tables: Sequence[pa.Table], column: str) -> list[Any]:
    return [row.get(column) for table in tables for row in table.to_pylist()]


def row(text: str, key: int = 1) -> str:
    """A row with the JSON `text` as its field `a`."""
    return f'{{"id": {key}, "a": {text}}}'


@pytest.mark.parametrize(
    ("data_type", "text", "expected"),
    [
        ("text", '"2026-01-01"', "2026-01-01"),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("double", "3", 3.0),
        ("double", "9007199254740992", 2.0**53),
        ("double", "1e300", 1e300),
        ("bool", "false", False),
        ("decimal", "12345678901234567890.10", Decimal("12345678901234567890.10")),
        ("decimal", '"0.000000001"', Decimal("0.000000001")),
        ("timestamp", '"2026-01-01T01:00:00+01:00"', datetime(2026, 1, 1, tzinfo=UTC)),
        ("date", '"2026-01-01"', date(2026, 1, 1)),
        ("json", '{"b": [1.10, 9007199254740993]}', '{"b": [1.10, 9007199254740993]}'),
        ("json", '"2026-01-01"', '"2026-01-01"'),
    ],
)
@pytest.mark.parametrize("given_as", ["declared", "known"])
def test_given_types_hold(
    load: Load, data_type: DataType, text: str, expected: Any, given_as: str
) -> None:
    types = {"columns": {"a": data_type}} if given_as == "declared" else {"known": {"a": data_type}}
    for rows in ([row(text), row("null", 2), '{"id": 3}'], ['{"id": 3}', row("null"), row(text)]):
        [table] = load(rows, **types)
        assert table.schema.field("a").type == ARROW_TYPES[data_type]
        assert sorted(values([table], "a"), key=lambda v: v is None) == [expected, None, None]


@pytest.mark.parametrize(
    ("texts", "data_type", "expected"),
    [
        (["1", "2"], "bigint", [1, 2]),
        (["9223372036854775807"], "bigint", [2**63 - 1]),
        (["1", "1.5"], "double", [1.0, 1.5]),
        (["true"], "bool", [True]),
        (
            ['"2026-01-01"', '"2026-01-01T00:00:00Z"'],
            "text",
            ["2026-01-01", "2026-01-01T00:00:00Z"],
        ),
        (["12345678901234567890123"], "decimal", [Decimal("12345678901234567890123")]),
        (["1", "18446744073709551616"], "decimal", [Decimal(1), Decimal(2**64)]),
        (["1.5", "9007199254740993"], "decimal", [Decimal("1.5"), Decimal(2**53 + 1)]),
        (["1", f"{10**30}"], "text", ["1", f"{10**30}"]),
        (["1.5", "1e400", "1e-400"], "text", ["1.5", "1e400", "1e-400"]),
        (["1.5", "-2.5E-400"], "text", ["1.5", "-2.5E-400"]),
        (["0.0", "1.50", f"0.{'9' * 400}1e-300"], "double", [0.0, 1.5, 1e-300]),
        (["9007199254740993", "1e300", "1.50"], "text", ["9007199254740993", "1e300", "1.50"]),
        (["1e300", "1.5"], "double", [1e300, 1.5]),
        (["[1, 2.50]", "[]", "null"], "json", ["[1, 2.50]", "[]", None]),
        (['"1"', "2", '"3"'], "json", ['"1"', "2", '"3"']),
        (["1", '"x"', "true", "[1]", '{"b": 1}'], "json", ["1", '"x"', "true", "[1]", '{"b":1}']),
        (['{"b": 1}', "5", '{"b": 2}'], "json", ['{"b":1}', "5", '{"b":2}']),
        (['["a", 1]'], "json", ['["a", 1]']),
        (['[{"b": 1}, {"b": "x"}]'], "json", ['[{"b": 1}, {"b": "x"}]']),
    ],
)
def test_types_are_inferred_the_same_in_one_page_or_in_many_in_any_order(
    load: Load, texts: list[str], data_type: str, expected: list[Any]
) -> None:
    rows = {key: row(text, key) for key, text in enumerate(texts)}
    for order in list(permutations(rows))[:24]:
        ordered = [rows[key] for key in order]
        for pages in ([ordered], [[one] for one in ordered]):
            tables = load(*pages)
            found = dict(zip(values(tables, "id"), values(tables, "a"), strict=True))
            wanted = [json.loads(v) if data_type == "json" and v else v for v in expected]
            got = [json.loads(v) if data_type == "json" and v else v for v in found.values()]
            assert got == [wanted[key] for key in order]
            assert {t.schema.field("a").type for t in tables if "a" in t.column_names} == {
                ARROW_TYPES[data_type]
            }
            for key, value in found.items():
                if data_type == "json" and "{" not in texts[key]:
                    assert value == expected[key]


def test_a_widened_column_that_has_gone_out_starts_the_load_again(
    resource: MakeResource, page: MakePage
) -> None:
    for second, data_type in (("1.5", "double"), ('"x"', "json"), ('{"b": 1}', "json")):
        typer = PageTyper(resource(), {})
        typer(page(row("1")))
        with pytest.raises(WidenedError) as widened:
            typer(page(row(second)))
        assert (widened.value.column, widened.value.data_type) == ("a", data_type)


def test_a_new_column_midway_appears_and_stays(load: Load) -> None:
    first, second, third = load([{"id": 1}], [{"id": 2, "new": "x"}], [{"id": 3}])
    assert first.column_names == ["id"]
    assert second["new"].to_pylist() == ["x"]
    assert third["new"].to_pylist() == [None]
    assert third.schema == second.schema


def test_null_columns_and_empty_objects_have_no_type_until_a_value_comes(load: Load) -> None:
    first, second, third = load(
        [{"id": 1, "a": None, "o": {}}],
        [{"id": 2, "a": 5, "o": {"b": "x"}}],
        [{"id": 3, "a": None}],
    )
    assert first.column_names == ["id"]
    assert second.select(["a", "o__b"]).to_pylist() == [{"a": 5, "o__b": "x"}]
    assert third.select(["a", "o__b"]).to_pylist() == [{"a": None, "o__b": None}]


def test_objects_are_flattened_and_their_lists_kept(load: Load) -> None:
    [table] = load(
        [
            {"id": 1, "client": {"taxId": 7, "address": {"city": "Köln"}, "tags": [{"x": 1}]}},
            {"id": 2, "client": None},
            {"id": 3, "client": {"address": None}},
        ]
    )
    assert table.to_pylist() == [
        {
            "id": 1,
            "client__tax_id": 7,
            "client__address__city": "Köln",
            "client__tags": '[{"x": 1}]',
        },
        {"id": 2, "client__tax_id": None, "client__address__city": None, "client__tags": None},
        {"id": 3, "client__tax_id": None, "client__address__city": None, "client__tags": None},
    ]


def test_declared_columns_of_nested_fields(load: Load) -> None:
    columns = {"meta__created_at": "timestamp", "meta__raw": "json"}
    tables = load(
        [{"id": 1, "meta": {"createdAt": "2026-01-01", "raw": {"b": 1}}}],
        [{"id": 2, "meta": {"createdAt": None, "raw": 5}}],
        columns=columns,
    )
    assert values(tables, "meta__created_at") == [datetime(2026, 1, 1, tzinfo=UTC), None]
    assert [json.loads(text) for text in values(tables, "meta__raw")] == [{"b": 1}, 5]


WIDENED = {
    ("text", "5"): "5",
    ("bigint", "1.5"): 1.5,
    ("bigint", "9223372036854775808"): Decimal(2**63),
    ("double", "9007199254740993"): Decimal(2**53 + 1),
    ("decimal", "1.0123456789"): "1.0123456789",
}
"""What a column that was not declared takes: it becomes wider, or is text already."""


@pytest.mark.parametrize(
    ("data_type", "text", "shown"),
    [
        ("text", "5", "5"),
        ("text", '{"b": 1}', '{"b":1}'),
        ("text", "[1]", "[1]"),
        ("bigint", "1.5", "1.5"),
        ("bigint", '"7"', '"7"'),
        ("bigint", "9223372036854775808", "9223372036854775808"),
        ("double", '"1.5"', '"1.5"'),
        ("double", "9007199254740993", "9007199254740993"),
        ("bool", "1", "1"),
        ("decimal", "1.0123456789", "1.0123456789"),
        ("decimal", '"x"', '"x"'),
        ("timestamp", '"yesterday"', '"yesterday"'),
        ("timestamp", "1767225600", "1767225600"),
        ("date", '"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00Z"'),
    ],
)
@pytest.mark.parametrize("given_as", ["declared", "known"])
def test_a_value_that_does_not_fit_is_refused_with_its_row(
    load: Load, data_type: DataType, text: str, shown: str, given_as: str
) -> None:
    types = {"columns": {"a": data_type}} if given_as == "declared" else {"known": {"a": data_type}}
    if given_as == "known" and (data_type, text) in WIDENED:
        [_, after] = load([{"id": 1}], [{"id": 41}, row(text, 42)], **types)
        assert after["a"].to_pylist() == [None, WIDENED[data_type, text]]
        return
    with pytest.raises(TypeMismatchError) as refused:
        load([{"id": 1}], [{"id": 41}, row(text, 42)], **types)
    assert f"hours/entries: column 'a' is {data_type}, but a row holds {shown} " in str(
        refused.value
    )
    assert '(row {"id":42}, page 2). Nothing was loaded.' in str(refused.value)
    assert "under `columns: a:`" in str(refused.value)


_NO_TEXTS = ['""', '" "', '"-"', '"n/a"', '"N/A"', '"null"', '"None"', "false", "[]", "{ }"]
PLACEHOLDERS = {
    "bigint": [*_NO_TEXTS, '"NaN"'],
    "double": [*_NO_TEXTS, '"NaN"'],
    "decimal": [*_NO_TEXTS, '"NaN"'],
    "timestamp": [*_NO_TEXTS, '"NaT"', '"0000-00-00"', '"0000-00-00 00:00:00"'],
    "date": [*_NO_TEXTS, '"NaT"', '"0000-00-00"', '"0000-00-00 00:00:00"'],
    "bool": ['"n/a"', '"null"'],
}
FITTING = {
    "bigint": ("7", 7),
    "double": ("1.5", 1.5),
    "decimal": ('"1.5"', Decimal("1.5")),
    "timestamp": ('"2026-01-01T00:00:00Z"', datetime(2026, 1, 1, tzinfo=UTC)),
    "date": ('"2026-01-01"', date(2026, 1, 1)),
    "bool": ("false", False),
}


@pytest.mark.parametrize("given_as", ["declared", "known"])
@pytest.mark.parametrize(
    ("data_type", "text"), [(kind, text) for kind, texts in PLACEHOLDERS.items() for text in texts]
)
def test_a_placeholder_of_another_type_is_null(
    load: Load, data_type: DataType, text: str, given_as: str
) -> None:
    types = {"columns": {"a": data_type}} if given_as == "declared" else {"known": {"a": data_type}}
    fitting, value = FITTING[data_type]
    rows = [row(text), row(fitting, 2), row("null", 3), row(text, 4)]
    for pages in ([rows], [[one] for one in rows], [[{"id": 9}], rows[::-1]]):
        tables = load(*pages, **types)
        by_key = dict(zip(values(tables, "id"), values(tables, "a"), strict=True))
        by_key.pop(9, None)
        assert by_key == {1: None, 2: value, 3: None, 4: None}
        assert all(
            table.schema.get_field_index("a") < 0 or table["a"].type == ARROW_TYPES[data_type]
            for table in tables
        )


@pytest.mark.parametrize(
    ("data_type", "text", "shown"),
    [
        ("bigint", '"12x"', '"12x"'),
        ("bigint", "true", "true"),
        ("bigint", "[0]", r"\[0\]"),
        ("timestamp", '"2026-13-01"', '"2026-13-01"'),
        ("date", '"none of it"', '"none of it"'),
        # some languages write false so
        ("bool", '""', '""'),
        ("bool", "[]", r"\[\]"),
    ],
)
def test_a_mistake_beside_placeholders_is_refused(
    load: Load, data_type: DataType, text: str, shown: str
) -> None:
    placeholder = PLACEHOLDERS[data_type][0]
    with pytest.raises(TypeMismatchError, match=f'holds {shown} .row {{"id":3}}, page 2'):
        load([row("null")], [row(placeholder, 2), row(text, 3)], columns={"a": data_type})


def test_placeholders_are_values_in_text_json_keys_and_undeclared_columns(load: Load) -> None:
    [table] = load(
        ['{"id": 1, "t": "n/a", "j": [], "u": ""}', '{"id": 2, "t": "", "j": false, "u": 5}'],
        columns={"t": "text", "j": "json"},
    )
    assert values([table], "t") == ["n/a", ""]
    assert values([table], "j") == ["[]", "false"]
    assert values([table], "u") == ['""', "5"]
    with pytest.raises(TypeMismatchError, match="column 'id' is bigint, but a row holds \"\" "):
        load([{"id": 1}, {"id": ""}], columns={"id": "bigint"})
    needed = {"a": {"data_type": "bigint", "nullable": False}}
    with pytest.raises(TypeMismatchError, match="column 'a' is bigint, but a row holds \"\" "):
        load([row("1"), row('""', 2)], columns=needed)


def test_a_column_that_becomes_text_keeps_its_placeholders(load: Load) -> None:
    columns = {"a": {"data_type": "bigint", "on_type_mismatch": "text"}}
    assert values(load([row("7"), row('""', 2)], columns=columns), "a") == [7, None]
    mixed = load([row('""'), row('"A-8"', 2), row("7", 3)], columns=columns)
    assert values(mixed, "a") == ["", "A-8", "7"]


@pytest.mark.parametrize("given_as", ["columns", "known"])
@pytest.mark.parametrize("text", ["[]", "false", '""', '"-"'])
def test_a_placeholder_for_an_object_is_one_without_values(
    load: Load, text: str, given_as: str
) -> None:
    rows = [row(text), row('{"b": 1, "c": {"d": "x"}}', 2), row('{"b": "", "c": []}', 3)]
    given: dict[str, Any] = {given_as: {"a__b": "bigint", "a__c__d": "text"}}
    for pages in ([rows], [[one] for one in rows], [rows[::-1]]):
        tables = load(*pages, **given)
        found = {r["id"]: (r.get("a__b"), r.get("a__c__d")) for t in tables for r in t.to_pylist()}
        assert found == {1: (None, None), 2: (1, "x"), 3: (None, None)}
        assert not any("a" in table.column_names for table in tables)


def test_a_row_that_cannot_be_read_is_refused_beside_a_placeholder(load: Load) -> None:
    with pytest.raises(AnswerError, match=r"page 1 .* can't be read"):
        load([row('""'), '{"id": 2, "\\ud800": 1, "a": ""}'], columns={"a": "bigint"})


def test_placeholders_are_counted_by_column(resource: MakeResource, page: MakePage) -> None:
    typer = PageTyper(resource(columns={"a": "bigint", "b": "date"}), {})
    first = page('{"id": 1, "a": "", "b": "-"}', '{"id": 2, "a": 3, "b": ""}')
    list(typer.tables([first, page('{"id": 3, "a": "-", "b": null}', number=2)]))
    assert typer.placeholders == {"a": 2, "b": 2}


@pytest.mark.parametrize("given_as", ["declared", "known"])
def test_decimals_may_be_numbers_and_text(load: Load, given_as: str) -> None:
    types = {"columns": {"a": "decimal"}} if given_as == "declared" else {"known": {"a": "decimal"}}
    rows = [row("1.10"), row('"12345678901234567890.1"', 2), row("null", 3), '{"id": 4}']
    expected = [Decimal("1.10"), Decimal("12345678901234567890.1"), None, None]
    for pages in ([rows], [[one] for one in rows], [rows[::-1]]):
        tables = load(*pages, **types)
        order = values(tables, "id")
        found = [row.get("a") for table in tables for row in table.to_pylist()]
        assert found == [expected[key - 1] for key in order]
    with pytest.raises(TypeMismatchError, match="column 'a' is decimal, but a row holds \"x\" "):
        load([*rows, row('"x"', 5)], **types)


def test_unix_times_are_numbers(load: Load) -> None:
    columns = {"a": {"data_type": "timestamp", "format": "unix_seconds"}}
    [table] = load([row("1767225600")], columns=columns)
    assert values([table], "a") == [datetime(2026, 1, 1, tzinfo=UTC)]
    for text in ('"1767225600"', "1767225600.5", "9223372036854775807"):
        with pytest.raises(TypeMismatchError, match=f"holds {text} "):
            load([row("1"), row(text, 2)], columns=columns)


def test_a_field_of_a_known_object_that_is_no_object_is_refused(load: Load) -> None:
    with pytest.raises(TypeMismatchError, match=r"column 'a__b' is bigint, but a row holds 5 "):
        load([row('{"b": 1}'), row("5", 2)], known={"a__b": "bigint"})


def test_a_json_column_is_taken_whole_where_its_object_holds_mixed_lists(load: Load) -> None:
    tables = load([{"id": 1, "a": {"a": [False, 0]}}], [{"id": 2, "a": []}])
    assert values(tables, "a") == ['{"a": [false, 0]}', "[]"]


def test_names_with_slashes_and_mixed_types_are_read(load: Load) -> None:
    [table] = load([{"id": 1, "a/b": 2}, {"id": 2, "a/b": "x"}])
    assert values([table], "a_b") == ["2", '"x"']


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\tb"])
def test_lists_in_fields_of_any_name_are_read(load: Load, name: str) -> None:
    tables = load([{"id": 1, name: [1]}], [{"id": 2, name: []}])
    assert values(tables, "a_b") == ["[1]", "[]"]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"id": 1, "aB": 1, "a_b": 2}], {"a_b": [2], "a_b_042ac5": [1]}),
        ([{"id": 1, "a": {"b": 1}, "a__b": 2}], {"a__b": [1], "a__b_63e5c1": [2]}),
        ([{"id": 1, "Ab": 1, "ab": 2}], {"ab": [2], "ab_025b55": [1]}),
        (
            [{"id": 1, "aB": 1, "a_b": "x"}, {"id": 2, "aB": "x", "a_b": 1}],
            {"a_b": ['"x"', "1"], "a_b_042ac5": ["1", '"x"']},
        ),
        (
            [{"id": 1, "": 1, " ": 2, "a": {"": 3}}],
            {"unnamed": [1], "unnamed_36a9e7": [2], "a__unnamed": [3]},
        ),
        ([{"id": 1, "\u65e5\u672c": 1, "\u00e4": 2}], {"x": [2], "x_cf2abf": [1]}),
    ],
)
def test_fields_that_come_to_one_column_get_one_each(
    load: Load, rows: list[Any], expected: dict[str, list[Any]]
) -> None:
    [table] = load(rows)
    assert table.drop(["id"]).to_pydict() == expected


def test_a_field_keeps_the_column_that_the_table_has_for_it(
    resource: MakeResource, page: MakePage
) -> None:
    typer = PageTyper(resource(), {"a_b": "bigint"}, fields={"a_b": ("aB",)})
    table = typer(page({"id": 1, "a_b": 2, "aB": 1}))
    assert table.to_pylist() == [{"id": 1, "a_b": 1, "a_b_648fa9": 2}]
    assert typer.names.unusual() == {"a_b_648fa9": ("a_b",)}


def test_a_declared_field_gets_its_column(load: Load) -> None:
    columns = {
        "owner": {"data_type": "bigint", "field": "userId"},
        "city": {"data_type": "text", "field": ["address", "town"]},
        "nameless": {"data_type": "text", "field": ""},
    }
    row = {"id": 1, "userId": 7, "user_id": 8, "address": {"town": "Köln"}, "": "x", "owner": 9}
    [table] = load([row], columns=columns)
    [found] = table.to_pylist()
    assert (found["owner"], found["user_id"], found["city"], found["nameless"]) == (
        7,
        8,
        "Köln",
        "x",
    )
    assert [value for name, value in found.items() if name.startswith("owner_")] == [9]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ('{"id": 1, "a": 1, "a": 2}', {"a": 2}),
        ('{"id": 1, "o": {"x": 1.50, "x": 2.50}, "b": 1}', {"o__x": 2.5, "b": 1}),
        ('{"id": 1, "l": [{"x": 1, "x": 2.50}]}', {"l": '[{"x":2.50}]'}),
        ('{"id": 9, "id": 1, "a": "x\\u00e4"}', {"a": "xä"}),
    ],
)
def test_of_members_of_one_name_the_last_counts(
    load: Load, row: str, expected: dict[str, Any]
) -> None:
    for pages in ([[row]], [[{"id": 2}], [{"id": 3}, row]]):
        found = load(*pages)[-1].to_pylist()[-1]
        assert found == {"id": 1, **expected}


@pytest.mark.parametrize("text", ["null", "5", "[1]", '"x"', "true"])
@pytest.mark.parametrize("before", [[], [{"id": 1}]])
def test_a_row_that_is_no_object_is_refused(load: Load, text: str, before: list[Any]) -> None:
    """Before Arrow's reader sees it, which would end the process on `null`."""
    for spec in ({}, {"primary_key": ()}):
        with pytest.raises(AnswerError, match=f"page 2 .* no object: .* .row {len(before) + 1}."):
            load([{"id": 7}], [*before, text, {"id": 2}], **spec)


@pytest.mark.parametrize("keyless", [{"a": 1}, {"id": None, "a": 1}, {}])
@pytest.mark.parametrize("beside", [[], [{"id": 1}]])
def test_a_row_without_its_key_is_refused(load: Load, keyless: Any, beside: list[Any]) -> None:
    with pytest.raises(AnswerError, match=r"hours/entries: page 1 .* without its key 'id'"):
        load([*beside, keyless])


def test_composite_keys_and_needed_values(load: Load) -> None:
    with pytest.raises(AnswerError, match="without its key 'day'"):
        load([{"id": 1}], primary_key=("id", "day"))
    needed = {"a": {"data_type": "text", "nullable": False}}
    with pytest.raises(AnswerError, match="without a value that it needs 'a'"):
        load([{"id": 1, "a": "x"}, {"id": 2}], columns=needed)
    [table] = load([{"id": 1, "a": "x"}], columns=needed)
    assert [field.name for field in table.schema if not field.nullable] == ["id"]


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        "5",
        "null",
        '{"id": 1, "b": "\\ud800"}',
    ],
)
@pytest.mark.parametrize("columns", [{}, {"j": "json"}])
def test_rows_that_cannot_be_read_are_refused(
    load: Load, text: str, columns: dict[str, str]
) -> None:
    with pytest.raises(AnswerError, match=r"hours/entries: page 2 \(https://api.example/entries\)"):
        load([{"id": 1, "j": [1]}], [{"id": 2, "j": [2]}, text], columns=columns)


@pytest.mark.parametrize(
    ("value", "data_type", "expected"),
    [
        (7, "bigint", 7),
        ("x", "text", "x"),
        (1.5, "double", 1.5),
        (True, "bool", True),
        (Decimal("1.5"), "decimal", Decimal("1.5")),
        (date(2026, 1, 1), "date", date(2026, 1, 1)),
        (datetime(2026, 1, 1, tzinfo=UTC), "timestamp", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_values_from_the_parent_are_columns_of_their_type(
    load: Load, value: Any, data_type: str, expected: Any
) -> None:
    [table] = load([{"id": 1}, {"id": 2}], from_parent={"_people_id": value})
    assert table.schema.field("_people_id").type == ARROW_TYPES[data_type]
    assert values([table], "_people_id") == [expected, expected]


def test_values_from_the_parent_take_the_given_type(load: Load) -> None:
    for data_type, value, expected in (
        ("text", 7, "7"),
        ("date", "2026-01-01", date(2026, 1, 1)),
        ("timestamp", "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("text", None, None),
    ):
        [table] = load([{"id": 1}], columns={"_p": data_type}, from_parent={"_p": value})
        assert values([table], "_p") == [expected]
    assert load([{"id": 1}], from_parent={"_p": None})[0].column_names == ["id"]
    with pytest.raises(TypeMismatchError, match="column '_p' is bigint, but a row holds \"x\""):
        load([{"id": 1}], columns={"_p": "bigint"}, from_parent={"_p": "x"})
    with pytest.raises(AnswerError, match="a field for the column '_p' of their own"):
        load([{"id": 1, "_p": 1}], from_parent={"_p": 1})
    with pytest.raises(AnswerError, match="without its key '_p'"):
        load([{"id": 1}], primary_key=("_p", "id"), from_parent={"_p": None})


def test_an_empty_table_has_the_given_columns(resource: MakeResource) -> None:
    typer = PageTyper(resource(columns={"id": "bigint", "at": "timestamp"}), {"old": "text"})
    table = typer.empty_table()
    assert table.num_rows == 0
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
        "old": pa.string(),
        "id": pa.int64(),
        "at": ARROW_TYPES["timestamp"],
    }


def test_an_empty_answer_has_the_key_whatever_its_type_will_be(resource: MakeResource) -> None:
    table = PageTyper(resource(primary_key=("id",), columns={}), {}).empty_table()
    assert table.column_names == ["id"]


def test_an_empty_answer_of_no_column_says_what_to_declare(resource: MakeResource) -> None:
    with pytest.raises(AnswerError, match="columns: <name>: "):
        PageTyper(resource(primary_key=(), columns={}), {}).empty_table()


NAMES = st.sampled_from(["a", "bC", "d/e", "f.g", "h"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5)
    | st.sampled_from(["2026-01-01", "2026-01-01T00:00:00Z", "1", "null", "[1]"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=6)


# a machine with other work to do is no fault of the rows
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(ROWS, st.integers(1, 6), st.sampled_from([None, 2]))
def test_any_rows_read_back_as_the_json_module_reads_them(
    load: Load, rows: list[dict[str, Any]], page_size: int, indent: int | None
) -> None:
    """Columns may be flattened or kept as JSON, but every value must be there, exactly."""
    texts = [json.dumps({"id": key, **given}, indent=indent) for key, given in enumerate(rows)]
    pages = [texts[i : i + page_size] for i in range(0, len(texts), page_size)]
    tables = load(*pages)
    found = [row for table in tables for row in table.to_pylist()]
    for text, columns in zip(texts, found, strict=True):
        for name, value in json.loads(text).items():
            assert_holds(columns, column_name(name), value, tables)


def assert_holds(columns: dict[str, Any], name: str, value: Any, tables: list[pa.Table]) -> None:
    if value is None:
        below = [v for column, v in columns.items() if column.startswith(f"{name}__")]
        assert columns.get(name) is None
        assert not any(v is not None for v in below)
    elif isinstance(value, dict) and name not in columns:
        for inner, item in value.items():
            assert_holds(columns, f"{name}__{column_name(inner)}", item, tables)
    else:
        held = columns[name]
        plain = type(value) is type(held) and held == value
        as_double = type(value) is int and type(held) is float and int(held) == value
        number = type(value) in (int, float)
        as_decimal = number and type(held) is Decimal and held == Decimal(repr(value))
        assert plain or as_double or as_decimal or same_json(held, value)


def same_json(held: Any, value: Any) -> bool:
    if not isinstance(held, str):
        return False
    read = json.loads(held)
    return type(read) is type(value) and bool(read == value)
