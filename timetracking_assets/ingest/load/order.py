"""Loads of one resource take effect in the order of their first requests.

Without it, an answer that was requested first and arrived last would overwrite a newer one. Each
load takes a number before its first request; what the table was last loaded from is noted beside
it, by part. Both happen under the dataset's lock, so that they hold between processes and machines;
numbers are the warehouse's, so that no clock matters. The note is written just before the merge: a
load that dies in between only makes others repeat their requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted

TABLE = "_load_order"
"""One row a resource with the last number taken (`state` is `asked`), and one for each part that
has been loaded (`loaded`): its bounds are microseconds since 1970, both null for a whole table."""

_COLUMNS = {"resource", "state", "sequence_number", "part_start", "part_end"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def take_number(warehouse: OpenWarehouse, resource: Resource) -> int:
    """A number greater than all that loads of the resource have taken before."""
    table = quoted(resource.api, TABLE)
    columns = warehouse.column_types(resource.api, TABLE).keys()
    if columns != _COLUMNS:
        # somebody may have changed it
        warehouse.change(f"CREATE SCHEMA IF NOT EXISTS {quoted(resource.api)}")
        warehouse.change(f"DROP TABLE IF EXISTS {table}")
        warehouse.change(
            f"CREATE TABLE {table} (resource VARCHAR, state VARCHAR, sequence_number BIGINT, "
            "part_start BIGINT, part_end BIGINT)"
        )
    counter = f"resource = {literal(resource.name)} AND state = 'asked'"
    numbers = warehouse.rows(
        f"UPDATE {table} SET sequence_number = sequence_number + 1 WHERE {counter} "
        "RETURNING sequence_number"
    )
    if not numbers:
        warehouse.change(
            f"INSERT INTO {table} (resource, state, sequence_number) "
            f"VALUES ({literal(resource.name)}, 'asked', 1)"
        )
        return 1
    return int(numbers[0][0])


def is_overtaken(
    warehouse: OpenWarehouse,
    resource: Resource,
    window: Window | None,
    number: int,
    holds_rows_of: Callable[[Sequence[Window]], bool],
) -> bool:
    """Whether a load with a later number than `number` has loaded what this answer would replace.

    That is a part that overlaps `window`, or one that has taken a row of this answer into its own:
    `holds_rows_of` returns whether the table has the answer's keys in the given windows.
    """
    if not warehouse.column_types(resource.api, TABLE):
        return False
    later = warehouse.rows(
        f"SELECT part_start, part_end FROM {quoted(resource.api, TABLE)} "
        f"WHERE {_loaded(resource)} AND sequence_number > {number}"
    )
    if not later or window is None or any(start is None for start, _ in later):
        return bool(later)
    zone = window.timezone
    windows = [Window(_instant(start), _instant(end), zone) for start, end in later]
    if any(window.start < other.end and other.start < window.end for other in windows):
        return True
    return holds_rows_of(windows)


def note_loaded(
    warehouse: OpenWarehouse, resource: Resource, window: Window | None, number: int
) -> None:
    """Note that the table's part `window` is from the load that took `number`."""
    table = quoted(resource.api, TABLE)
    if not warehouse.column_types(resource.api, TABLE):
        return
    within, part = "true", "NULL, NULL"
    if window is not None:
        start, end = _microseconds(window.start), _microseconds(window.end)
        within, part = f"part_start >= {start} AND part_end <= {end}", f"{start}, {end}"
    # first the new note, then the ones that it replaces: there is one at all times
    warehouse.change(
        f"INSERT INTO {table} (resource, state, sequence_number, part_start, part_end) "
        f"VALUES ({literal(resource.name)}, 'loaded', {number}, {part})"
    )
    warehouse.change(
        f"DELETE FROM {table} WHERE {_loaded(resource)} AND {within} AND sequence_number < {number}"
    )


def _loaded(resource: Resource) -> str:
    return f"resource = {literal(resource.name)} AND state = 'loaded'"


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
