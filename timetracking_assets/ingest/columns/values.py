"""Values of an API as a column's type: times in UTC, and the message for a value that does not fit.

Offsets win; text without one is a local time in the declared zone. Where clocks go back, the
earlier of the two instants is meant; where they go forward, the skipped hour counts from before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from timetracking_assets.errors import TypeMismatchError
from timetracking_assets.ingest.columns.names import FieldPath
from timetracking_assets.ingest.columns.row_values import values_at
from timetracking_assets.spec.api import Resource, column_name
from timetracking_assets.spec.base import DataType, TimeFormat
from timetracking_assets.spec.model import ColumnSpec
from timetracking_assets.warehouse.types import ARROW_TYPES

EXACT_INTEGERS = 2**53
"""From here on a double skips integers."""

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
        if isinstance(value, Decimal):
            # neither too large nor so small that nothing is left of it
            return isfinite(float(value)) and bool(value) == bool(float(value))
        return type(value) is int and abs(value) <= EXACT_INTEGERS
    if data_type == "decimal":
        return _is_decimal(value)
    kinds: dict[str, type] = {"text": str, "bool": bool}
    return type(value) is kinds.get(data_type, type(value))


_NUMBERS: tuple[DataType, ...] = ("bigint", "double", "decimal", "text")


def wider_number(data_type: DataType, values: Sequence[Any]) -> DataType:
    """The type of a column of `data_type` that is to hold `values`, too.

    Numbers become bigint, else double, else decimal, else text (their digits); what is mixed with
    something else becomes JSON.
    """
    if any(type(value) not in (int, Decimal) for value in values) or data_type not in _NUMBERS:
        return "json"
    column = ColumnSpec(data_type=data_type)
    for wider in _NUMBERS[_NUMBERS.index(data_type) + 1 : -1]:
        if all(fits(value, wider, column) for value in values):
            return wider
    return "text"


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
        pa.scalar(Decimal(value), ARROW_TYPES["decimal"])
    except (ArithmeticError, pa.ArrowInvalid):
        return False
    return True


def exact_decimals(path: FieldPath, rows: Sequence[msgspec.Raw]) -> pa.Array:
    """The column of decimals that are written as numbers in some rows and as text in others."""
    values = (value for value, *_ in values_at(path, rows))
    return pa.array(
        [None if value is None else Decimal(value) for value in values], ARROW_TYPES["decimal"]
    )


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


_UTC = pa.timestamp("us", tz="UTC")
_WITH_OFFSET = r"[T ].*(Z|z|[+-]\d{2}(:?\d{2})?)$"
_BEYOND_MICROSECONDS = r"(\.\d{6})\d+"


class TimeFormatError(ValueError):
    """A column holds a value that is no time in the declared format."""


def to_timestamp(
    values: pa.ChunkedArray, time_format: TimeFormat, timezone: str
) -> pa.ChunkedArray:
    """UTC timestamps in microseconds from ISO 8601 text or UNIX time. Raises TimeFormatError."""
    try:
        if time_format != "iso":
            unit = "s" if time_format == "unix_seconds" else "ms"
            return pc.cast(pc.cast(values, pa.timestamp(unit, tz="UTC")), _UTC)
        return _from_text(values, timezone)
    except pa.ArrowInvalid:
        raise TimeFormatError(time_format) from None


def _from_text(values: pa.ChunkedArray, timezone: str) -> pa.ChunkedArray:
    try:
        # most columns: each time has an offset, and no more digits than are kept
        return pc.cast(values, _UTC)
    except pa.ArrowInvalid:
        pass
    text = pc.replace_substring_regex(values, _BEYOND_MICROSECONDS, r"\1")
    has_offset = pc.fill_null(pc.match_substring_regex(text, _WITH_OFFSET), True)
    if pc.all(has_offset, min_count=0).as_py():
        return pc.cast(text, _UTC)
    instants = pc.cast(pc.if_else(has_offset, text, None), _UTC)
    local = pc.cast(pc.if_else(has_offset, None, text), pa.timestamp("us"))
    return pc.coalesce(instants, _placed(local, timezone))


def _placed(local: pa.ChunkedArray, timezone: str) -> pa.ChunkedArray:
    before = pc.cast(
        pc.assume_timezone(local, timezone, ambiguous="earliest", nonexistent="earliest"), _UTC
    )
    after = pc.cast(
        pc.assume_timezone(local, timezone, ambiguous="earliest", nonexistent="latest"), _UTC
    )
    skipped = pc.not_equal(before, after)
    if not pc.any(skipped, min_count=0).as_py():
        return before
    # Arrow gives a skipped time the gap's end; counted from before the gap, it lies as far behind
    # it as the local time does
    gap_begin = pc.local_timestamp(pc.cast(before, pa.timestamp("us", tz=timezone)))
    beyond = pc.subtract(pc.subtract(local, gap_begin), pa.scalar(1, pa.duration("us")))
    return pc.if_else(skipped, pc.add(after, beyond), before)


def to_date(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates from `YYYY-MM-DD` text. Raises TimeFormatError for anything else."""
    try:
        return pc.cast(values, pa.date32())
    except pa.ArrowInvalid:
        raise TimeFormatError("date") from None
