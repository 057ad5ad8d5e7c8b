"""Whether a value fits its column's type, and the words for one that does not.

Only read where something is wrong already: pages that fit are typed column by column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from timetracking_assets.errors import TypeMismatchError
from timetracking_assets.ingest.fields import FieldPath, values_at
from timetracking_assets.ingest.times import TimeFormatError, to_date, to_timestamp
from timetracking_assets.spec.api import Resource, column_name
from timetracking_assets.spec.base import DataType
from timetracking_assets.spec.model import ColumnSpec

EXACT_INTEGERS = 2**53
"""From here on a double skips integers."""

_DECIMAL = pa.decimal128(38, 9)
_encode = msgspec.json.Encoder(decimal_format="number").encode


def misfits(
    path: FieldPath, rows: Sequence[msgspec.Raw], data_type: DataType, column: ColumnSpec
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The values at `path` that don't fit the type, each with its row."""
    for value, led, row in values_at(path, rows):
        if value is not None and not (led and fits(value, data_type, column)):
            yield value, row


def mismatch(
    resource: Resource, name: str, data_type: DataType, value: Any, row: dict[str, Any], page: int
) -> TypeMismatchError:
    """The error for a row that holds `value` in the column `name`."""
    key = {k: v for k, v in row.items() if column_name(k) in resource.primary_key}
    return TypeMismatchError(
        f"{resource.label}: column '{name}' is {data_type}, but a row holds "
        f"{_encode(value).decode()[:80]} (row {_encode(key).decode()}, page {page}). Nothing was "
        f"loaded. If the API means it, declare the type under `columns: {name}:`, or let it become "
        "text with `on_type_mismatch: text`."
    )


def fits(value: Any, data_type: DataType, column: ColumnSpec) -> bool:
    """Whether a JSON value (numbers with a point as Decimal) can be kept in a column unchanged."""
    if data_type in ("timestamp", "date"):
        return _is_time(value, data_type, column)
    if data_type == "bigint":
        return type(value) is int and -(2**63) <= value < 2**63
    if data_type == "double":
        whole = type(value) is int and abs(value) <= EXACT_INTEGERS
        return whole or isinstance(value, Decimal)
    if data_type == "decimal":
        return _is_decimal(value)
    kinds: dict[str, type] = {"text": str, "bool": bool}
    return type(value) is kinds.get(data_type, type(value))


def _is_time(value: Any, data_type: DataType, column: ColumnSpec) -> bool:
    iso = data_type == "date" or column.format == "iso"
    if type(value) is not (str if iso else int):
        return False
    try:
        values = pa.chunked_array([[value]], pa.string() if iso else pa.int64())
        if data_type == "date":
            to_date(values)
        else:
            to_timestamp(values, column.format, column.timezone)
    except (TimeFormatError, pa.ArrowInvalid, OverflowError):
        return False
    return True


def _is_decimal(value: Any) -> bool:
    if type(value) not in (int, Decimal, str):
        return False
    try:
        pa.scalar(Decimal(value), _DECIMAL)
    except (ArithmeticError, pa.ArrowInvalid):
        return False
    return True


def exact_decimals(path: FieldPath, rows: Sequence[msgspec.Raw]) -> pa.Array:
    """The column of decimals that are written as numbers in some rows and as text in others."""
    values = (value for value, *_ in values_at(path, rows))
    return pa.array([None if value is None else Decimal(value) for value in values], _DECIMAL)


def parent_type(value: Any) -> DataType:
    """The type of a column that takes its values from a parent's row."""
    kinds: list[tuple[type, DataType]] = [
        (bool, "bool"),
        (int, "bigint"),
        (float, "double"),
        (Decimal, "decimal"),
        (datetime, "timestamp"),
        (date, "date"),
    ]
    return next((name for kind, name in kinds if isinstance(value, kind)), "text")


def parent_scalar(value: Any, data_type: DataType, arrow: pa.DataType, column: ColumnSpec) -> Any:
    """A parent's value as the column has it. Raises ValueError or TypeError if it doesn't fit."""
    if value is not None and data_type in ("text", "json"):
        value = str(value)
    elif isinstance(value, str) and data_type in ("timestamp", "date"):
        text = pa.chunked_array([[value]], pa.string())
        iso = to_date(text) if data_type == "date" else to_timestamp(text, "iso", column.timezone)
        return iso[0]
    return pa.scalar(value, type=arrow)
