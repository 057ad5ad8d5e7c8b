"""The JSON text of fields for which Arrow has no type, beside rows or taken out of them.

Which fields these are is decided in `column_reader.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from timetracking_assets.ingest.columns.names import FieldPath

Raw = msgspec.Raw
_members_of = msgspec.json.Decoder(dict[str, Raw]).decode
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
