"""One load: extract a resource's answer, then make its table equal to it, or change nothing.

The extraction runs without the warehouse's lock; the lock is held while dlt restores the schema
and while it loads. Each load has its own working directory and always the same pipeline name, so
that the schema is the table's and no package of another load is ever met (DESIGN: one pipeline name
per partition corrupts data). What the answer meant for the table is counted in `changes.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import dlt
import pyarrow as pa

from timetracking_assets.ingest.api import Resource
from timetracking_assets.ingest.changes import Changes, count_changes, refuse_large_removal
from timetracking_assets.ingest.columnar import PageTyper, WidenedError
from timetracking_assets.ingest.errors import IngestError, TypeMismatchError
from timetracking_assets.ingest.parents import requested_parent_rows, stored_parent_rows
from timetracking_assets.ingest.session import RequestStats
from timetracking_assets.ingest.source import Connection, ParentRows, column_hints, open_pages
from timetracking_assets.ingest.spec import DataType
from timetracking_assets.ingest.warehouse import Warehouse, quoted
from timetracking_assets.ingest.windows import Window, in_window, window_condition
from timetracking_assets.ingest.workdir import private_work_dir

_DUCKDB_TYPES: dict[str, DataType] = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "BOOLEAN": "bool",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "DATE": "date",
    "DECIMAL(38,9)": "decimal",
    "JSON": "json",
}


@dataclass
class LoadReport:
    """What one load did. Times are in seconds; `row_count` is the whole table's after the load."""

    resource: Resource
    window: Window | None
    load_id: str = ""
    rows_extracted: int = 0
    rows_outside_window: int = 0
    changes: Changes = field(default_factory=lambda: Changes())
    column_types: dict[str, DataType] = field(default_factory=dict)
    new_columns: tuple[str, ...] = ()
    requests: RequestStats = field(default_factory=RequestStats)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the phase `name`."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started


@dataclass(frozen=True)
class LoadRequest:
    """What to load: a resource, for a window where it has one, and who asks (for lock messages)."""

    connection: Connection
    resource: Resource
    window: Window | None = None
    holder: str = "a load"
    allow_removal: bool = False
    log: Callable[[str], None] | None = None


def run_load(request: LoadRequest, warehouse: Warehouse) -> LoadReport:
    """Load once. Raises IngestError (its text masked); the table is then as it was before."""
    inferred: dict[str, DataType] = {}
    while True:
        widened = _attempt(request, warehouse, inferred)
        if isinstance(widened, LoadReport):
            return widened
        inferred[widened.column] = widened.data_type


def _attempt(
    request: LoadRequest, warehouse: Warehouse, inferred: Mapping[str, DataType]
) -> LoadReport | WidenedError:
    failure: BaseException | None = None
    try:
        with private_work_dir(warehouse.work_dir) as work_dir:
            return _load(request, warehouse, inferred, work_dir)
    except Exception as error:
        failure = _cause(error)
    # outside the except block: what dlt chains to its errors may hold a URL, and with it a key
    if isinstance(failure, WidenedError | IngestError):
        if isinstance(failure, WidenedError):
            return failure
        raise failure
    redact = request.connection.redactor
    raise IngestError(
        redact(f"{request.resource.label}: the load failed and changed nothing: {failure}")
    )


def _cause(error: BaseException) -> BaseException:
    """The error of ours inside one of dlt's, or else the innermost."""
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(inner)
    ours = [e for e in chain if isinstance(e, IngestError | WidenedError)]
    return ours[0] if ours else chain[-1]


def _load(
    request: LoadRequest,
    warehouse: Warehouse,
    inferred: Mapping[str, DataType],
    work_dir: Path,
) -> LoadReport:
    resource, connection = request.resource, request.connection
    report = LoadReport(resource, request.window)
    pipeline = dlt.pipeline(
        f"{resource.api}__{resource.name}",
        pipelines_dir=str(work_dir),
        destination=warehouse.destination(),
        dataset_name=resource.api,
    )
    with warehouse.exclusive(request.holder, request.log) as waited, report.phase("restore"):
        report.seconds["lock"] = waited
        pipeline.sync_destination()
        stored = warehouse.column_types(resource.api, resource.name)
        parent_rows = stored_parent_rows(connection, resource, warehouse)
    known = _known_types(resource, stored)

    with report.phase("extract"):
        if resource.parent is not None and parent_rows is None:
            parent_rows = requested_parent_rows(connection, resource, warehouse, report.requests)
        typer = PageTyper(resource, known, inferred)
        pipeline.extract(
            _dlt_source(request, typer, parent_rows, report), loader_file_format="parquet"
        )
    with report.phase("normalize"):
        pipeline.normalize()

    with warehouse.exclusive(request.holder, request.log) as waited:
        report.seconds["lock"] += waited
        with report.phase("load"):
            files = _staged_files(pipeline, resource)
            report.changes = count_changes(warehouse, resource, files, request.window)
            if not request.allow_removal:
                refuse_large_removal(resource, report.changes)
            info = pipeline.load(raise_on_failed_jobs=True)
            report.changes = report.changes.after(warehouse, resource, request.window)
            after = warehouse.column_types(resource.api, resource.name)
    report.load_id = info.loads_ids[0]
    report.column_types = {name: _DUCKDB_TYPES.get(kind, "text") for name, kind in after.items()}
    report.new_columns = tuple(name for name in after if stored and name not in stored)
    return report


def _known_types(resource: Resource, stored: Mapping[str, str]) -> dict[str, DataType]:
    known = {name: _DUCKDB_TYPES[kind] for name, kind in stored.items() if kind in _DUCKDB_TYPES}
    for name, column in resource.columns.items():
        if known.get(name, column.data_type) != column.data_type:
            raise TypeMismatchError(
                f"{resource.label}: column '{name}' is declared as {column.data_type}, but the "
                f"table {resource.api}.{resource.name} holds it as {known[name]}. Declare it as "
                f"{known[name]}, or drop the table and load it anew."
            )
    return known


def _dlt_source(
    request: LoadRequest, typer: PageTyper, parent_rows: ParentRows | None, report: LoadReport
) -> Any:
    resource, window = request.resource, request.window

    def tables() -> Iterator[Any]:
        nothing = True
        pages = open_pages(
            request.connection,
            resource,
            report.requests,
            window=window,
            parent_rows=parent_rows,
        )
        with pages as arriving:
            for page in arriving:
                table = typer(page)
                report.rows_extracted += table.num_rows
                if resource.window and window:
                    inside = table.filter(in_window(table[resource.window.field], window))
                    report.rows_outside_window += table.num_rows - inside.num_rows
                    table = inside
                if table.num_rows:
                    nothing = False
                    yield _with_json_hints(table, typer)
        if nothing:
            # something must be staged, or dlt would not remove what the answer no longer holds
            yield dlt.mark.materialize_table_schema()

    rows = dlt.resource(
        tables,
        name=resource.name,
        primary_key=list(resource.primary_key),
        write_disposition=_write_disposition(resource, window),
        columns=column_hints(resource),
    )
    # a schema of its own for each table: loads that run side by side can't overwrite another's
    return dlt.source(lambda: rows(), name=resource.name, max_table_nesting=0)()


def _with_json_hints(table: pa.Table, typer: PageTyper) -> Any:
    columns = {
        name: {"data_type": "json"} for name in table.column_names if typer.types[name] == "json"
    }
    if not columns:
        return table
    return dlt.mark.with_hints(table, dlt.mark.make_hints(columns=cast(Any, columns)))


def _write_disposition(resource: Resource, window: Window | None) -> Any:
    disposition = {"disposition": "merge", "strategy": "delete-insert"}
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


def _staged_files(pipeline: Any, resource: Resource) -> list[str]:
    [load_id] = pipeline.list_normalized_load_packages()
    jobs = pipeline.get_load_package_info(load_id).jobs["new_jobs"]
    return [
        job.file_path
        for job in jobs
        if job.job_file_info.table_name == resource.name and job.file_path.endswith(".parquet")
    ]
