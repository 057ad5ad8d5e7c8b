"""Lists, and fields of mixed types, taken out of rows as JSON text, digit for digit.

Arrow has no type for them, so they leave the row's bytes before Arrow reads it. Which fields these
are is decided in `columnar.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pyarrow as pa

Raw = msgspec.Raw
_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.encode


def take_json_columns(
    rows: Sequence[Raw], paths: Sequence[tuple[str, ...]]
) -> tuple[list[Raw] | list[bytes], dict[tuple[str, ...], pa.Array]]:
    """`rows` without the fields at `paths`, and these fields' JSON text, a null for JSON's null."""
    if not paths:
        return list(rows), {}
    texts: dict[tuple[str, ...], list[str | None]] = {path: [] for path in paths}
    rest: list[bytes] = []
    for row in rows:
        members = _decode(row)
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


def _take(members: dict[str, Raw], path: tuple[str, ...]) -> str | None:
    name, *inner = path
    if name not in members:
        return None
    if not inner:
        text = bytes(members.pop(name)).decode()
        return None if text == "null" else text
    if not bytes(members[name]).lstrip().startswith(b"{"):
        return None
    nested = _decode(members[name])
    text_or_none = _take(nested, tuple(inner))
    members[name] = Raw(_encode(nested))
    return text_or_none
