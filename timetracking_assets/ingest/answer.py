"""An answer as a dlt source: its pages as tables, its rows' place in the table, what it replaces.

What is asked for is in `source.py`; when and where it is loaded is in `load.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any, cast

import dlt
import pyarrow as pa

from timetracking_assets.ingest.api import Resource
from timetracking_assets.ingest.columnar import PageTyper
from timetracking_assets.ingest.fetch import open_pages
from timetracking_assets.ingest.load_report import LoadReport, LoadRequest
from timetracking_assets.ingest.source import ParentRows, column_hints
from timetracking_assets.ingest.warehouse import quoted
from timetracking_assets.ingest.windows import Window, in_window, window_condition


class _KnownDifference(logging.Filter):
    """Drops dlt's warning that JSON text is declared as JSON: Arrow has no type for it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "several column hints were different" not in record.getMessage()


logging.getLogger("dlt").addFilter(_KnownDifference())


def answer_source(
    request: LoadRequest, typer: PageTyper, parent_rows: ParentRows | None, report: LoadReport
) -> Any:
    """The dlt source of one load; `report` counts its rows and requests while dlt extracts it."""
    resource = request.resource

    def answer() -> Iterator[Any]:
        nothing = True
        for table in in_batches(_tables(request, typer, parent_rows, report)):
            nothing = False
            yield _with_json_hints(table, typer)
        if nothing:
            # something must be staged, or dlt would not remove what the answer no longer holds
            # (its own `materialize_table_schema` would add `_dlt_id` and `_dlt_load_id` columns,
            # which no table of Arrow's has)
            yield _with_json_hints(typer.empty_table(), typer)

    rows = dlt.resource(
        answer,
        name=resource.name,
        primary_key=list(resource.primary_key),
        write_disposition=_write_disposition(resource, request.window),
        columns=column_hints(resource),
    )
    # a schema of its own for each table: loads that run side by side can't overwrite another's
    return dlt.source(lambda: rows(), name=resource.name, max_table_nesting=0)()


def _tables(
    request: LoadRequest, typer: PageTyper, parent_rows: ParentRows | None, report: LoadReport
) -> Iterator[pa.Table]:
    resource, window = request.resource, request.window
    pages = open_pages(
        request.connection, resource, report.requests, window=window, parent_rows=parent_rows
    )
    with pages as arriving:
        for table in typer.tables(arriving):
            report.rows_extracted += table.num_rows
            if resource.window and window:
                inside = table.filter(in_window(table[resource.window.field], window))
                report.rows_outside_window += table.num_rows - inside.num_rows
                table = inside
            yield table


def in_batches(tables: Iterable[pa.Table], rows: int = 50_000) -> Iterator[pa.Table]:
    """Neighbouring tables of the same columns as one, of about `rows` rows; empty ones left out.

    dlt spends about 10 ms on each table that it is given, whatever its size.
    """
    batch: list[pa.Table] = []
    for table in tables:
        if not table.num_rows:
            continue
        if batch and (table.schema != batch[0].schema or sum(map(len, batch)) >= rows):
            yield pa.concat_tables(batch)
            batch = []
        batch.append(table)
    if batch:
        yield pa.concat_tables(batch)


def _with_json_hints(table: pa.Table, typer: PageTyper) -> Any:
    columns = {
        name: {"data_type": "json"} for name in table.column_names if typer.types[name] == "json"
    }
    if not columns:
        return table
    return dlt.mark.with_hints(table, dlt.mark.make_hints(columns=cast(Any, columns)))


def _write_disposition(resource: Resource, window: Window | None) -> Any:
    # `duplicates.py` sees to it: dlt would sort all staged rows by their keys, each time
    disposition = {"disposition": "merge", "strategy": "delete-insert", "deduplicated": True}
    scope = removal_scope(resource, window)
    return {**disposition, "destination_scope": scope} if scope else disposition


def removal_scope(resource: Resource, window: Window | None) -> str | None:
    """SQL for the rows that an answer replaces: the whole table, a window, or (None) its keys."""
    if resource.sync_mode == "snapshot":
        return "1 = 1"
    if resource.sync_mode == "changes" or window is None or resource.window is None:
        return None
    field_name = resource.window.field
    keys = ", ".join(quoted(name) for name in resource.primary_key)
    inside = window_condition(quoted(field_name), resource.columns[field_name].data_type, window)
    # the keys, too: a row that has moved here from another window would otherwise stand twice
    return f"{inside} OR ({keys}) IN (SELECT {keys} FROM {{staging_table}})"
