"""An answer as a dlt source: its pages as tables, and which of their rows are loaded.

What is asked for is in `pages/`, what a load replaces in `merge.py`, when and where it is
loaded in `run.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

import dlt
import pyarrow as pa
import pyarrow.compute as pc

from timetracking_assets.ingest.columns.page_typer import PageTyper
from timetracking_assets.ingest.connection import ParentRows
from timetracking_assets.ingest.load.deleted_ids import DeletedIds, listed_as_deleted
from timetracking_assets.ingest.load.merge import merge_disposition
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.pages.bisection import whole_answers
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.ingest.windows import Window, in_window
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import Warehouse

if TYPE_CHECKING:
    pass


def column_hints(resource: Resource) -> dict[str, Any]:
    """The declared columns as dlt's hints. Nullability is not among them: see `columnar.py`."""
    hints: dict[str, Any] = {
        name: {"data_type": spec.data_type, "description": spec.description}
        if spec.description
        else {"data_type": spec.data_type}
        for name, spec in resource.columns.items()
    }
    if resource.deletion_mark:
        hints.setdefault(resource.deletion_mark, {"data_type": "bool"})["hard_delete"] = True
    return hints


class _KnownDifference(logging.Filter):
    """Drops dlt's warning that JSON text is declared as JSON: Arrow has no type for it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "several column hints were different" not in record.getMessage()


logging.getLogger("dlt").addFilter(_KnownDifference())


def answer_source(
    request: LoadRequest,
    typer: PageTyper,
    parent_rows: ParentRows | None,
    report: LoadReport,
    warehouse: Warehouse,
    *,
    first_load: bool,
) -> Any:
    """The dlt source of one load into `warehouse`.

    `report` counts its rows and requests while dlt extracts it. A `first_load` is appended as long
    as its tables have the same columns, which dlt writes into one file: one statement loads that,
    two would not be one transaction.
    """
    resource = request.resource
    merge = merge_disposition(resource, request.window, warehouse)

    def answer() -> Iterator[Any]:
        listed = listed_as_deleted(
            request.connection, resource, request.window, parent_rows, report.requests
        )
        latest = None
        for table in in_batches(_tables(request, typer, parent_rows, report, listed)):
            other_columns = latest is not None and table.schema != latest
            latest = table.schema
            yield _with_hints(table, typer, merge if first_load and other_columns else None)
        if listed:
            yield listed.table()
        if latest is None:
            # something must be staged, or dlt would not remove what the answer no longer holds
            # (its own `materialize_table_schema` would add `_dlt_id` and `_dlt_load_id` columns,
            # which no table of Arrow's has)
            yield _with_hints(typer.empty_table(), typer)

    rows = dlt.resource(
        answer,
        name=resource.name,
        primary_key=list(resource.primary_key),
        write_disposition="append" if first_load else merge,
        columns=column_hints(resource),
    )
    # a schema of its own for each table: loads that run side by side can't overwrite another's
    return dlt.source(lambda: rows(), name=resource.name, max_table_nesting=0)()


def _tables(
    request: LoadRequest,
    typer: PageTyper,
    parent_rows: ParentRows | None,
    report: LoadReport,
    listed: DeletedIds | None,
) -> Iterator[pa.Table]:
    resource, window = request.resource, request.window
    for table, asked_for in typer.tables(_pages(request, parent_rows, report)):
        report.rows_extracted += table.num_rows
        if listed:
            listed.alive(table)
        if resource.window and window:
            times = table[resource.window.field]
            inside = in_window(times, window)
            report.late.note(table, times)
            report.rows_outside_window += table.num_rows - (pc.sum(inside).as_py() or 0)
            # a list may hold rows that belong to another one's window: absences over two years
            own = inside if asked_for in (None, window) else in_window(times, asked_for)
            table = table.filter(own)
        yield table


def _pages(
    request: LoadRequest, parent_rows: ParentRows | None, report: LoadReport
) -> Iterator[Page]:
    resource = request.resource

    def ask(window: Window | None, rows: ParentRows | None) -> Iterator[Page]:
        with open_pages(
            request.connection,
            resource,
            report.requests,
            window=window,
            parent_rows=rows,
            totals=report.totals,
        ) as pages:
            yield from pages

    if resource.max_rows_per_answer:
        return whole_answers(ask, resource, request.window, parent_rows)
    return ask(request.window, parent_rows)


def in_batches(
    tables: Iterable[pa.Table], rows: int = 50_000, size: int = 16_000_000
) -> Iterator[pa.Table]:
    """Neighbouring tables of the same columns as one, of about `rows` rows or `size` bytes; empty
    ones left out.

    dlt spends about 10 ms on each table that it is given, whatever its size. DuckDB takes each one,
    a row group of the Parquet file, into memory as a whole.
    """
    batch: list[pa.Table] = []
    left, room = rows, size
    for table in tables:
        if not table.num_rows:
            continue
        if batch and (left <= 0 or room <= 0 or table.schema != batch[0].schema):
            yield pa.concat_tables(batch)
            batch, left, room = [], rows, size
        batch.append(table)
        left, room = left - table.num_rows, room - table.nbytes
    if batch:
        yield pa.concat_tables(batch)


def _with_hints(table: pa.Table, typer: PageTyper, write_disposition: Any = None) -> Any:
    columns = {
        name: {"data_type": "json"} for name in table.column_names if typer.types[name] == "json"
    }
    if not columns and write_disposition is None:
        return table
    hints = dlt.mark.make_hints(columns=cast(Any, columns), write_disposition=write_disposition)
    return dlt.mark.with_hints(table, hints)
