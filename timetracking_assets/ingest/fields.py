"""The fields of JSON rows: their paths, as Arrow sees them and as the rows' bytes hold them.

Only the shape of rows belongs here; which column a field becomes is decided in `column_reader.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

FieldPath = tuple[str, ...]

# decimals, so that no number is too large or loses digits before it is shown
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


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
        except msgspec.DecodeError:
            # not readable at all: that is said by the reader, not of a value
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
