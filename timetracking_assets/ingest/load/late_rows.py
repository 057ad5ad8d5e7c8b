"""Rows of an answer that belong to older windows than the requested one, and aren't stored so yet.

Such a row is a late edit that the window's own load can't take in. What is done about it is not
decided here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import OpenWarehouse, quoted
from timetracking_assets.warehouse.scratch import canonical_columns

_MOST_ROWS = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LateRows:
    """Collects such rows of a `sync_mode: window` resource while it is extracted.

    At most 100,000 of them: an API that sends more does not filter at all, and the whole list comes
    with every window.
    """

    def __init__(self, resource: Resource, window: Window | None) -> None:
        collects = resource.sync_mode == "window" and resource.window is not None
        self._resource = resource
        self._window = window if collects else None
        self._tables: list[pa.Table] = []
        self.days: dict[date, int] = {}
        """Rows by the day (in the window's zone) that they belong to; known after `compare`."""

    def note(self, table: pa.Table, times: pa.ChunkedArray) -> None:
        """Keep the rows of `table` whose time, in `times`, is before the window."""
        if self._window is None or sum(map(len, self._tables)) >= _MOST_ROWS:
            return
        start = self._window.dates[0] if pa.types.is_date(times.type) else self._window.start
        older = pc.fill_null(pc.less(times, pa.scalar(start, type=times.type)), False)
        if pc.any(older).as_py():
            self._tables.append(table.filter(older))

    def compare(self, warehouse: OpenWarehouse) -> None:
        """Find out which of the rows the resource's table does not hold as they are."""
        resource = self._resource
        if not self._tables or resource.window is None:
            return
        stored = warehouse.column_types(resource.api, resource.name)
        if not stored:
            return
        rows = pa.concat_tables(self._tables, promote_options="default")
        if not warehouse.keeps_json_text:
            rows = canonical_columns(rows, {n for n, kind in stored.items() if kind == "json"})
        names = set(rows.column_names)
        keys = [quoted(name) for name in resource.primary_key]
        same = " AND ".join(f"l.{key} = t.{key}" for key in keys)
        differs = " OR ".join(
            f"l.{quoted(name)} IS DISTINCT FROM t.{quoted(name)}"
            + ("::VARCHAR" if kind == "json" else "")
            for name, kind in stored.items()
            if name in names
        )
        # a deleted row that isn't stored is in its place
        mark = resource.deletion_mark
        alive = "true"
        if mark in names:
            alive = f"coalesce(CAST(l.{quoted(str(mark))} AS VARCHAR), 'false') = 'false'"
        time = f"l.{quoted(resource.window.field)}"
        is_date = resource.columns[resource.window.field].data_type == "date"
        at = f"{time} - DATE '1970-01-01'" if is_date else f"epoch_us({time})"
        warehouse.scratch.register("late_rows", rows)
        try:
            table = warehouse.in_scratch(
                resource.api,
                resource.name,
                where="false",
                keys=resource.primary_key,
                of="late_rows",
            )
            counts = warehouse.scratch.execute(
                f"SELECT {at}, count(*) FROM late_rows l LEFT JOIN {table} t ON {same} "
                f"WHERE CASE WHEN t.{keys[0]} IS NULL THEN {alive} ELSE {differs} END GROUP BY 1"
            ).fetchall()
        finally:
            warehouse.scratch.unregister("late_rows")
        zone = ZoneInfo(self._window.timezone if self._window else "UTC")
        for value, count in counts:
            day = (
                _EPOCH.date() + timedelta(days=value)
                if is_date
                else (_EPOCH + timedelta(microseconds=value)).astimezone(zone).date()
            )
            self.days[day] = self.days.get(day, 0) + count
