"""JSON rows as Arrow reads them, a page at a time: fields, and the text of those without a type.

Arrow has no type for lists and for fields of mixed types. As long as it can read them all the same,
their text is taken beside it, digit for digit; where it can't, they leave the row's bytes before
Arrow reads it (both in `json_columns.py`). Which fields these are, and which column a field
becomes, is decided in `column_reader.py`; single rows are decoded in `row_values.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.json as pj

from timetracking_assets.ingest.columns.json_columns import json_texts, take_json_columns
from timetracking_assets.ingest.columns.names import FieldPath

Fields = dict[FieldPath, pa.ChunkedArray]
Texts = dict[FieldPath, pa.Array]
HowToParse = tuple[Mapping[FieldPath, pa.DataType], Sequence[FieldPath]]
"""The types of fields, and the fields that are taken as JSON text."""

UNREADABLE = (pa.ArrowInvalid, msgspec.DecodeError, UnicodeDecodeError)
"""What reading rows raises where they don't fit the given types, or are no rows."""


@dataclass(frozen=True)
class ParsedAhead:
    """Rows that are parsed in another thread, and what was known of their fields at its start.

    It is of no use any more once an earlier page has taught more.
    """

    how: HowToParse
    parsed: Future[tuple[Fields, Texts]]


class RowParser:
    """Reads the rows of page after page; it remembers which way of reading has worked."""

    def __init__(self) -> None:
        self._mixed = False

    def ahead(self, pool: Executor, rows: list[msgspec.Raw], how: HowToParse) -> ParsedAhead:
        """Begin to parse `rows` in a thread of `pool`."""
        return ParsedAhead(how, pool.submit(self, rows, how))

    def __call__(self, rows: list[msgspec.Raw], how: HowToParse) -> tuple[Fields, Texts]:
        """All fields but those that are taken as JSON text, and the text of these.

        A field has its given type, or else the one that Arrow infers from all `rows`. Raises
        one of UNREADABLE.
        """
        types, json_paths = how
        schema = nested_schema(types)
        if not self._mixed:
            lines = b"\n".join(rows)
            try:
                texts = json_texts(lines, json_paths)
                fields = {
                    path: values
                    for path, values in walk(_read(lines, schema))
                    if not any(path == kept or lies_below(path, kept) for kept in json_paths)
                }
            except (*UNREADABLE, ValueError):
                pass
            else:
                return fields, texts
        rest, texts = take_json_columns(rows, json_paths)
        lines = b"\n".join(bytes(row).replace(b"\n", b" ") for row in rest)
        fields = dict(walk(_read(lines, schema)))
        # where Arrow can read only what is left without them, it will hardly read the next page
        self._mixed = bool(json_paths)
        return fields, texts


def _read(lines: bytes, schema: pa.Schema | None) -> pa.Table:
    return pj.read_json(
        pa.BufferReader(lines),
        # one block: types are inferred from the whole page, not from its first megabyte
        read_options=pj.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer"),
    )


def walk(table: pa.Table) -> Iterator[tuple[FieldPath, pa.ChunkedArray]]:
    """All fields of a table, an object before what it holds."""
    for name in table.column_names:
        yield from _walk((name,), table[name])


def _walk(path: FieldPath, values: pa.ChunkedArray) -> Iterator[tuple[FieldPath, pa.ChunkedArray]]:
    yield path, values
    if pa.types.is_struct(values.type):
        for child, column in zip(values.type, values.flatten(), strict=True):
            yield from _walk((*path, child.name), column)


def nested_schema(types: Mapping[FieldPath, pa.DataType]) -> pa.Schema | None:
    """A schema with a struct for each object; None if there are no fields."""
    tree: dict[str, Any] = {}
    for path, data_type in types.items():
        level = tree
        for part in path[:-1]:
            level = level.setdefault(part, {})
        level[path[-1]] = data_type
    return pa.schema(_fields(tree)) if tree else None


def _fields(tree: Mapping[str, Any]) -> list[pa.Field]:
    return [
        pa.field(name, pa.struct(_fields(node)) if isinstance(node, dict) else node)
        for name, node in tree.items()
    ]


def lies_below(path: FieldPath, outer: FieldPath) -> bool:
    """Whether `path` is a field of the object at `outer`."""
    return len(path) > len(outer) and path[: len(outer)] == outer
