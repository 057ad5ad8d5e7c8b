"""An answer as a dlt source: its pages as tables, and which of their rows are loaded.

What is requested is in `pages/`, what a load replaces in `merge.py`, when and where it is
loaded in `run.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, cast

import dlt
import pyarrow as pa
import pyarrow.compute as pc

from timetracking_assets.ingest.columns.page_typer import PageTyper
from timetracking_assets.ingest.connection import ParentRows
from timetracking_assets.ingest.load.deleted_ids import DeletedIds
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.restore import FIELD
from timetracking_assets.ingest.pages.bisection import whole_answers
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.ingest.pages.totals import StatedTotals
from timetracking_assets.ingest.windows import Window, in_window
from timetracking_assets.spec.api import Resource


def column_hints(resource: Resource) -> dict[str, Any]:
    """The declared columns as dlt's hints. `page_typer.py` checks what may be null."""
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


def requested_pages(
    request: LoadRequest,
    parent_rows: ParentRows | None,
    report: LoadReport,
    totals: StatedTotals,
) -> Generator[Page, None, None]:
    """The pages of the answer, requested as they are read; `report` counts the requests, `totals`
    learns what the API states of its lists.
    """
    resource = request.resource

    def pages(window: Window | None, rows: ParentRows | None) -> Generator[Page, None, None]:
        with open_pages(
            request.connection,
            resource,
            report.requests,
            window=window,
            parent_rows=rows,
            totals=totals,
        ) as opened:
            yield from opened

    if resource.max_rows_per_answer:
        yield from whole_answers(pages, resource, request.window, parent_rows, report.requests)
    else:
        yield from pages(request.window, parent_rows)


def answer_source(
    resource: Resource,
    window: Window | None,
    pages: Iterable[Page],
    listed_ids: Sequence[Any] | None,
    typer: PageTyper,
    report: LoadReport,
    merge: Any,
    *,
    first_load: bool,
) -> Any:
    """The dlt source of one load: the rows of `pages`, and the ids that are listed as deleted.

    `report` counts its rows while dlt extracts it. `merge` is the write disposition, but for a
    `first_load`: that is appended as long as its tables have the same columns, which dlt writes
    into one file: one statement loads that, two would not be one transaction.
    """

    def answer() -> Iterator[Any]:
        listed = DeletedIds(resource, listed_ids) if listed_ids is not None else None
        latest = None
        for table in in_batches(_tables(resource, window, pages, listed, typer, report)):
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
    resource: Resource,
    window: Window | None,
    pages: Iterable[Page],
    listed: DeletedIds | None,
    typer: PageTyper,
    report: LoadReport,
) -> Iterator[pa.Table]:
    for table, requested in typer.tables(pages):
        report.rows_extracted += table.num_rows
        if listed:
            listed.alive(table)
        if resource.window and window:
            times = table[resource.window.field]
            inside = in_window(times, window)
            report.late.note(table, times)
            report.rows_outside_window += table.num_rows - (pc.sum(inside).as_py() or 0)
            table = table.filter(own_rows(table, resource, window, requested))
        yield table


def own_rows(
    table: pa.Table, resource: Resource, window: Window | None, requested: Window | None
) -> pa.ChunkedArray:
    """A boolean per row: is it loaded from the list for the window `requested`?

    A list may hold rows that belong to another one's window: absences over two years.
    """
    if resource.window is None or window is None:
        return pa.chunked_array([pa.repeat(True, table.num_rows)])
    return in_window(table[resource.window.field], requested or window)


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
    fields = typer.names.fields()
    columns: dict[str, dict[str, Any]] = {
        name: {"data_type": "json"} for name in table.column_names if typer.types[name] == "json"
    }
    for name in fields.keys() & set(table.column_names):
        columns.setdefault(name, {})[FIELD] = list(fields[name])
    if not columns and write_disposition is None:
        return table
    hints = dlt.mark.make_hints(columns=cast(Any, columns), write_disposition=write_disposition)
    return dlt.mark.with_hints(table, hints)
