"""JSON by its value: databases keep it in an order and a layout of their own.

Only comparing belongs here; how JSON gets into a table is in `json_columns.py`.
"""

from __future__ import annotations

import json
from collections.abc import Container
from decimal import Decimal
from typing import Any

import pyarrow as pa


def canonical_columns(table: pa.Table, names: Container[str]) -> pa.Table:
    """`table` with the JSON text of those columns, as far as it has them, in canonical form."""
    for index, name in enumerate(table.column_names):
        if name in names:
            texts = [canonical_json(text) for text in table[name].to_pylist()]
            table = table.set_column(index, name, pa.array(texts, pa.string()))
    return table


def canonical_json(text: str | None) -> str | None:
    """The same text for the same value: members in order, numbers without what they don't need.

    Numbers are exact, however long. Text that is no JSON stays as it is.
    """
    if text is None:
        return None
    try:
        value = json.loads(text, parse_int=Decimal, parse_float=Decimal)
    except ValueError:
        return text
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _number(value) if isinstance(value, Decimal) else value


def _number(value: Decimal) -> dict[str, Any]:
    # not `normalize`, which rounds to 28 digits
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    if not kept:
        return {"": "0"}
    assert isinstance(exponent, int)
    # an object that no other value comes to: a number is not its text
    return {"": f"{'-' if sign else ''}{kept}e{exponent + len(text) - len(kept)}"}
