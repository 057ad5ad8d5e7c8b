"""dlt's names of types as Arrow's and SQL's types, and back.

Only the types belong here; whether a value fits one is judged in `ingest/columns/values.py`.
"""

from __future__ import annotations

import pyarrow as pa

from timetracking_assets.spec.base import DataType

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "decimal": pa.decimal128(38, 9),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "json": pa.string(),
}
"""dlt's name of a type -> the one Arrow type in which its values travel."""

_DECIMAL = ARROW_TYPES["decimal"]
SQL_TYPES: dict[str, str] = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "decimal": f"DECIMAL({_DECIMAL.precision},{_DECIMAL.scale})",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
    "json": "JSON",
}
"""dlt's name of a type -> DuckDB's, as it names it itself."""


def inferred_type(kind: pa.DataType) -> DataType:
    """The type of a column whose values Arrow has read as `kind`."""
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind):
        return "bigint"
    if pa.types.is_floating(kind):
        return "double"
    return "json" if pa.types.is_list(kind) else "text"
