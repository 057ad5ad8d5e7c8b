"""JSON rows as Arrow reads them: paths of fields, and the text of those that it has no type for.

Arrow has no type for lists and for fields of mixed types. As long as it can read them all the same,
their text is taken beside it (`json_texts`), digit for digit; where it can't, they leave the row's
bytes before Arrow reads it (`take_json_columns`). Which fields these are, and which column a field
becomes, is decided in `column_reader.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from math import isfinite
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

_OBJECT = ord("{")
FieldPath = tuple[str, ...]
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


# decimals, so that no number is too large or loses digits before it is shown
_read_row = msgspec.json.Decoder(float_hook=Decimal).decode


def _decode(raw: msgspec.Raw) -> Any:
    """A row's value. Raises ValueError if it can't be read."""
    try:
        return _read_row(raw)
    except msgspec.DecodeError:
        # an integer of thousands of digits
        return json.loads(bytes(raw), parse_int=Decimal)


def with_last_values(raw: msgspec.Raw) -> msgspec.Raw:
    """The same JSON, of members with the same name the last alone, as JSON parsers have it."""
    text = bytes(raw).lstrip()
    if text.startswith(b"{"):
        members = _members_of(raw)
        return Raw(_encode({name: with_last_values(value) for name, value in members.items()}))
    if text.startswith(b"["):
        return Raw(_encode([with_last_values(value) for value in _items_of(raw)]))
    return raw


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


def values_at(
    path: FieldPath, rows: Sequence[msgspec.Raw]
) -> Iterator[tuple[Any, bool, dict[str, Any]]]:
    """For each row: its value at `path`, whether an object led there, and the row.

    Where something else than an object is on the way, that is the value.
    """
    for raw in rows:
        try:
            row = value = _decode(raw)
        except ValueError:
            # not readable at all: the reader reports that, not a value
            continue
        led = True
        for part in path:
            if value is None:
                break
            if not isinstance(value, dict):
                led = False
                break
            value = value.get(part)
        yield value, led, row


def first_no_object(rows: Sequence[msgspec.Raw]) -> int | None:
    """The index of the first row that is no JSON object."""
    return next((i for i, row in enumerate(rows) if memoryview(row)[0] != _OBJECT), None)


def find_path(slashed: str, rows: Sequence[msgspec.Raw]) -> FieldPath | None:
    """The path that Arrow's messages write as `outer/inner/[]/...`; names may hold slashes, too."""
    for raw in rows:
        for path in _paths((), _decode(raw)):
            name = "/".join(path)
            if name == slashed or slashed.startswith(f"{name}/[]"):
                return path
    return None


def _paths(path: FieldPath, value: Any) -> Iterator[FieldPath]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths((*path, name), inner)


def find_oversized(rows: Sequence[msgspec.Raw]) -> FieldPath | None:
    """The path of a field with a number that is too large for Arrow's reader, also in a list."""
    for raw in rows:
        for path, value in _leaves((), _decode(raw)):
            if _is_oversized(value):
                return path
    return None


def leaf_paths(rows: Sequence[msgspec.Raw]) -> set[FieldPath]:
    """The paths of all values that are neither objects nor null."""
    leaves = (leaf for raw in rows for leaf in _leaves((), _decode(raw)))
    return {path for path, value in leaves if value is not None}


def _leaves(path: FieldPath, value: Any) -> Iterator[tuple[FieldPath, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves((*path, name), inner)
    elif path:
        yield path, value


def _is_oversized(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_is_oversized, value.values() if isinstance(value, dict) else value))
    try:
        return type(value) in (int, Decimal) and not isfinite(float(value))
    except OverflowError:
        return True


Raw = msgspec.Raw
_members_of = msgspec.json.Decoder(dict[str, Raw]).decode
_items_of = msgspec.json.Decoder(list[Raw]).decode
_encode = msgspec.json.encode
_NULL = Raw(b"null")


def json_texts(lines: bytes, paths: Iterable[FieldPath]) -> dict[FieldPath, pa.Array]:
    """The JSON text of the fields at `paths` in newline-delimited rows, a null for JSON's null.

    Raises msgspec.DecodeError where something else than an object leads to a field,
    pyarrow.ArrowInvalid for text that isn't UTF-8, and ValueError for a name that msgspec can't
    look for (it holds a quote, a backslash or a control character).
    """
    fields = tuple(paths)
    if not fields:
        return {}
    rows = msgspec.json.Decoder(_row_type(fields)).decode_lines(lines)
    texts = {}
    for path in fields:
        names = _attributes(fields, path)
        read = attrgetter(*names) if len(names) == 1 else partial(_inner, names=names)
        column = pa.array([*map(bytes, map(read, rows))], pa.binary()).cast(pa.string())
        texts[path] = pc.if_else(pc.equal(column, "null"), None, column)
    return texts


@lru_cache(maxsize=64)
def _row_type(paths: tuple[FieldPath, ...]) -> Any:
    """A type that skips all of a row but the fields at `paths`."""
    fields, names = [], {}
    for index, name in enumerate(dict.fromkeys(path[0] for path in paths)):
        inner = tuple(path[1:] for path in paths if path[0] == name and len(path) > 1)
        kind = _row_type(inner) if inner else Raw
        fields.append((f"f{index}", kind | None, None) if inner else (f"f{index}", kind, _NULL))
        names[f"f{index}"] = name
    return msgspec.defstruct("Row", fields, rename=names, frozen=True, gc=False)


def _attributes(paths: Sequence[FieldPath], path: FieldPath) -> list[str]:
    first, *rest = path
    index = list(dict.fromkeys(p[0] for p in paths)).index(first)
    inner = [p[1:] for p in paths if p[0] == first and len(p) > 1]
    return [f"f{index}", *(_attributes(inner, tuple(rest)) if rest else [])]


def _inner(row: Any, names: Sequence[str]) -> Any:
    for name in names:
        row = getattr(row, name)
        if row is None:
            return _NULL
    return row


def take_json_columns(
    rows: Sequence[Raw], paths: Sequence[FieldPath]
) -> tuple[list[Raw] | list[bytes], dict[FieldPath, pa.Array]]:
    """`rows` without the fields at `paths`, and these fields' JSON text, a null for JSON's null."""
    if not paths:
        return list(rows), {}
    texts: dict[FieldPath, list[str | None]] = {path: [] for path in paths}
    rest: list[bytes] = []
    for row in rows:
        members = _members_of(row)
        for path, column in texts.items():
            column.append(_take(members, path))
        rest.append(_encode(members))
    return rest, {path: pa.array(column, pa.string()) for path, column in texts.items()}


def plain_text(texts: pa.Array) -> pa.Array:
    """JSON text as text: strings without their quotes, all else digit for digit."""
    values = [
        msgspec.json.decode(text) if text and text.startswith('"') else text
        for text in texts.to_pylist()
    ]
    return pa.array(values, pa.string())


def _take(members: dict[str, Raw], path: FieldPath) -> str | None:
    name, *inner = path
    if name not in members:
        return None
    if not inner:
        text = bytes(members.pop(name)).decode()
        return None if text == "null" else text
    if not bytes(members[name]).lstrip().startswith(b"{"):
        return None
    nested = _members_of(members[name])
    text_or_none = _take(nested, tuple(inner))
    members[name] = Raw(_encode(nested))
    return text_or_none
