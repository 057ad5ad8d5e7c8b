"""Placeholders: what an API sends for no value in a column of another type, and rows without them.

What counts as one is decided here, by the column's type; which columns are read without them in
`column_reader.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from timetracking_assets.ingest.columns.names import FieldPath

Raw = msgspec.Raw
_NULL = Raw(b"null")
_members_of = msgspec.json.Decoder(dict[str, Raw]).decode
_value_of = msgspec.json.Decoder(str | bool | list[Raw] | dict[str, Raw]).decode
_encode = msgspec.json.encode

OBJECT = "object"
"""The kind of a field that holds an object, whose fields are the columns."""

_WORDS = {"null", "none", "nil", "undefined", "n/a"}
_BLANK = {"", "-", "--", "\N{EN DASH}", "\N{EM DASH}"}
_NUMBER = _WORDS | _BLANK | {"nan"}
# MySQL's zero dates
_TIME = _WORDS | _BLANK | {"nat", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00t00:00:00z"}
_TEXTS: Mapping[str, set[str]] = {
    "bigint": _NUMBER,
    "double": _NUMBER,
    "decimal": _NUMBER,
    "timestamp": _TIME,
    "date": _TIME,
    # some languages write false as an empty text
    "bool": _WORDS,
    OBJECT: _WORDS | _BLANK,
}


def is_placeholder(value: Any, kind: str) -> bool:
    """Whether a JSON value can only mean "nothing" in a column of the type `kind`, or as OBJECT."""
    if kind not in _TEXTS:
        return False
    if isinstance(value, str):
        return value.strip().lower() in _TEXTS[kind]
    if value is False or value == [] or value == {}:
        # an empty object or list, and false, are the same to some languages
        return kind != "bool"
    return False


def without_placeholders(
    rows: Sequence[Raw], kinds: Mapping[FieldPath, str]
) -> tuple[list[Raw], dict[FieldPath, int]]:
    """The rows with null for each placeholder at a path of `kinds`, and how many each path had."""
    counts = dict.fromkeys(kinds, 0)
    changed = []
    for row in rows:
        members = _members_of(row)
        replaced = [path for path, kind in kinds.items() if _take(members, path, kind)]
        for path in replaced:
            counts[path] += 1
        changed.append(Raw(_encode(members)) if replaced else row)
    return changed, {path: count for path, count in counts.items() if count}


def _take(members: dict[str, Raw], path: FieldPath, kind: str) -> bool:
    """Whether there was a placeholder at `path`; it is null now."""
    name, *inner = path
    text = bytes(members.get(name, _NULL)).lstrip()
    if not inner or not text.startswith(b"{"):
        # numbers, true and null are never one: no need to decode them
        if text[:1] not in b'"[{f' or not is_placeholder(_value_of(text), kind):
            return False
        members[name] = _NULL
        return True
    nested = _members_of(text)
    if not _take(nested, tuple(inner), kind):
        return False
    members[name] = Raw(_encode(nested))
    return True
