"""JSON rows as Arrow reads them, and the text of the fields that it has no type for.

Only parsing belongs here: it is told the types and gives what it finds. What is learned from that
is decided in `column_reader.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import msgspec
import pyarrow as pa
import pyarrow.json as pj

from timetracking_assets.ingest.fields import FieldPath, lies_below, nested_schema, walk
from timetracking_assets.ingest.json_columns import json_texts, take_json_columns

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
