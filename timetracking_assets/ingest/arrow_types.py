"""dlt's types and Arrow's: in which one values travel, and which one a new column gets.

Only this correspondence belongs here; how columns are read is in `column_reader.py`.
"""

from __future__ import annotations

import pyarrow as pa

from timetracking_assets.ingest.spec import DataType

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


def inferred_type(kind: pa.DataType) -> DataType:
    """The type of a column whose first values Arrow reads as `kind`."""
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind):
        return "bigint"
    if pa.types.is_floating(kind):
        return "double"
    return "json" if pa.types.is_list(kind) else "text"
