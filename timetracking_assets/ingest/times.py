"""Text and numbers of an API as UTC timestamps and dates, column by column.

Offsets win; text without one is a local time in the declared zone. Where clocks go back, the
earlier of the two instants is meant; where they go forward, the skipped hour counts from before.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from timetracking_assets.spec.base import TimeFormat

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
        pass
    raise TimeFormatError(time_format)


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
        pass
    raise TimeFormatError("date")
