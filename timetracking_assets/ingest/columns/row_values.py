"""Rows decoded one by one: where their values are, and which of them no reader takes.

It is what a page costs that does not fit, or that has a new field. Whole pages are read in
`rows.py`; what is made of a value that does not fit is decided in `column_reader.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

import msgspec

from timetracking_assets.ingest.columns.names import FieldPath

Raw = msgspec.Raw
_OBJECT = ord("{")
_members_of = msgspec.json.Decoder(dict[str, Raw]).decode
_items_of = msgspec.json.Decoder(list[Raw]).decode
_encode = msgspec.json.encode
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
