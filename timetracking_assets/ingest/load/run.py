"""One load: extract a resource's answer, then make its table equal to it, or change nothing.

The extraction runs without the warehouse's lock; the lock is held while dlt restores the schema
and while it loads. Each try has its own working directory and always the same pipeline name, so
that the schema is the table's and no package of another load is ever met (one pipeline name
per partition corrupts data). What the answer means for the table is counted in `changes.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.typing import TRefreshMode

from timetracking_assets.errors import (
    OvertakenError,
    ShiftedListError,
    TypeMismatchError,
    cause_of,
)
from timetracking_assets.ingest.columns.page_typer import PageTyper, WidenedError
from timetracking_assets.ingest.load.answer import answer_source, requested_pages
from timetracking_assets.ingest.load.changes import StagedAnswer
from timetracking_assets.ingest.load.deleted_ids import listed_as_deleted
from timetracking_assets.ingest.load.failures import failure_of
from timetracking_assets.ingest.load.hand_edits import let_dlt_complete
from timetracking_assets.ingest.load.merge import (
    drop_duplicates,
    drops_duplicates,
    is_first_load,
    merge_disposition,
    merge_sql,
    prepare_staging,
    refuse_large_removal,
)
from timetracking_assets.ingest.load.order import is_overtaken, note_loaded, take_number
from timetracking_assets.ingest.load.parents import requested_parent_rows, stored_parent_rows
from timetracking_assets.ingest.load.removal import Removal, UnconfirmedError
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.restore import StoredTable, of_ours, restore
from timetracking_assets.ingest.load.spool import PageSpool
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.base import OpenWarehouse, Warehouse
from timetracking_assets.warehouse.dlt_tables import mend_clock
from timetracking_assets.warehouse.private_files import private_work_dir

_MOST_ANSWERS = 4
"""How often a load requests its answer, where later ones keep writing first or lists shift."""


class _TableChangedError(Exception):
    """What was prepared does not go with the table as it is now; nothing has been written."""


def run_load(request: LoadRequest, warehouse: Warehouse) -> LoadReport:
    """Load once. Raises IngestError (its text masked); the table is then as it was before.

    But for a disk that fills up, or a process that ends, after the merge: dlt's note of the load
    may then be missing, and the message says that the answer may be there.
    """
    warehouse.prepare()
    report = LoadReport(request.resource, request.window)
    try:
        with private_work_dir(warehouse.work_dir) as work_dir:
            _load_newest_answer(request, warehouse, report, work_dir)
    except Exception as error:
        failure = failure_of(error, request, warehouse, report)
    else:
        return report
    finally:
        # dlt keeps each setting that it has looked up, for its trace, which is off
        get_resolved_traces().clear()
    # outside the except block: raised in it, an error of ours would be chained to dlt's, which it
    # has caused
    raise failure


def _load_newest_answer(
    request: LoadRequest, warehouse: Warehouse, report: LoadReport, work_dir: Path
) -> None:
    """Load an answer that is not older than what the table holds, and whose lists kept their rows;
    request again one that is not.

    Raises OvertakenError where later loads keep writing first, ShiftedListError where lists lose
    rows each time.
    """
    for attempt in range(1, _MOST_ANSWERS + 1):
        directory = work_dir / f"answer-{attempt}"
        directory.mkdir()
        report.begin_answer()
        try:
            _load_answer(request, warehouse, report, directory)
            break
        except Exception as error:
            why = cause_of(error, OvertakenError, ShiftedListError)
            if attempt == _MOST_ANSWERS:
                raise
            if isinstance(why, OvertakenError):
                report.times_overtaken += 1
                message = "another load asked the API later and has written already"
            elif isinstance(why, ShiftedListError):
                report.times_shifted += 1
                message = "a list lost rows while it was read"
            else:
                raise
        report.requests.requests_in_vain = report.requests.requests
        if request.log:
            request.log(f"{request.resource.label}: {message}; requesting again")


def _load_answer(
    request: LoadRequest, warehouse: Warehouse, report: LoadReport, directory: Path
) -> None:
    """Ask the API once, and load its answer. Raises OvertakenError if it is too old by then."""
    connection, resource, window = request.connection, request.resource, request.window
    with _exclusive(request, warehouse, report, "restore") as opened:
        number = take_number(opened, resource)
        parent_rows = stored_parent_rows(connection, resource, opened)
        table = restore(opened, resource, {}, directory / "0")
    with ExitStack() as stack:
        with report.phase("extract"):
            asks_for_parents = resource.parent is not None and parent_rows is None
            if asks_for_parents:
                parent_rows = requested_parent_rows(connection, resource, report.requests)
            listed = listed_as_deleted(connection, resource, window, parent_rows, report.requests)
        pages = stack.enter_context(
            closing(requested_pages(request, parent_rows, report, report.totals))
        )
        spool = stack.enter_context(closing(PageSpool(pages, directory)))
        removal = Removal(request, report, spool, None if asks_for_parents else parent_rows)
        types: dict[str, DataType] = {}
        files: list[str] = []
        may_append = True
        for attempt in count(1):
            first_load = may_append and is_first_load(table)
            try:
                files = files or _extract(
                    request, warehouse, report, table, spool, listed, types, first_load
                )
                _load(request, warehouse, report, table, files, number, removal)
                break
            except UnconfirmedError as unconfirmed:
                with report.phase("extract"):
                    if not removal.adds_rows(unconfirmed.keys, table, types):
                        continue
            except _TableChangedError:
                may_append = False
            except Exception as error:
                widened = cause_of(error, WidenedError)
                if not isinstance(widened, WidenedError):
                    raise
                with report.phase("extract"):
                    types = _types_of_all_pages(table, types, widened, spool)
            files = []
            with _exclusive(request, warehouse, report, "restore") as opened:
                table = restore(opened, resource, types, directory / str(attempt))


@contextmanager
def _exclusive(
    request: LoadRequest, warehouse: Warehouse, report: LoadReport, phase: str
) -> Iterator[OpenWarehouse]:
    """The warehouse with its lock; the time is the phase's, but for that spent on waiting."""
    holder, dataset = request.holder, request.resource.api
    with warehouse.exclusive(holder, request.log, dataset=dataset) as opened, report.phase(phase):
        report.seconds["lock"] = report.seconds.get("lock", 0.0) + opened.waited
        yield opened


def _types_of_all_pages(
    table: StoredTable,
    types: Mapping[str, DataType],
    widened: WidenedError,
    spool: PageSpool,
) -> dict[str, DataType]:
    """Types that all pages fit, so that they need to be read only once more."""
    given = {**types, widened.column: widened.data_type}
    learnt = PageTyper(table.resource, table.known, given, table.fields, table.guessed).learn(spool)
    if learnt == types:
        raise TypeMismatchError(
            f"{table.resource.label}: column '{widened.column}' holds values that are not even "
            f"{widened.data_type}; nothing was loaded"
        )
    return learnt


def _extract(
    request: LoadRequest,
    warehouse: Warehouse,
    report: LoadReport,
    table: StoredTable,
    spool: PageSpool,
    listed: Sequence[Any] | None,
    types: Mapping[str, DataType],
    first_load: bool,
) -> list[str]:
    """Bring the answer into Parquet files, and return their paths."""
    resource, pipeline = table.resource, table.pipeline
    report.begin_rows()
    typer = PageTyper(resource, table.known, types, table.fields, table.guessed)
    with report.phase("extract"):
        source = answer_source(
            resource,
            request.window,
            spool,
            listed,
            typer,
            report,
            merge_disposition(resource),
            first_load=first_load,
        )
        # what dlt remembers as made, it would not make again
        refresh: TRefreshMode | None = "drop_resources" if table.was_dropped else None
        pipeline.extract(source, loader_file_format="parquet", refresh=refresh)
    report.renamed_fields = typer.names.unusual()
    report.placeholders = typer.placeholders
    with report.phase("normalize"):
        [package] = pipeline.normalize().load_packages
    # of what pages took while they became tables, Arrow would keep some 80 MB beside DuckDB's share
    pa.default_memory_pool().release_unused()
    return [
        job.file_path
        for job in package.jobs["new_jobs"]
        if job.job_file_info.table_name == resource.name and job.file_path.endswith(".parquet")
    ]


def _load(
    request: LoadRequest,
    warehouse: Warehouse,
    report: LoadReport,
    table: StoredTable,
    files: Sequence[str],
    number: int,
    removal: Removal,
) -> None:
    """Make the table equal to the answer in `files`, which was requested under `number`.

    Raises UnconfirmedError, with nothing written, before it removes rows that may only be hidden.
    """
    resource, window = table.resource, request.window
    with _exclusive(request, warehouse, report, "load") as opened:
        _refuse_changed_table(table, files, opened)
        removes = not removal.is_refused
        staged = StagedAnswer(
            opened,
            resource,
            files,
            window,
            table.retyped,
            table.remembered,
            removes=removes,
        )
        if is_overtaken(opened, resource, window, number, staged.holds_rows_of):
            raise OvertakenError(
                f"{resource.label}: other loads of the same rows asked the API later and wrote "
                f"first, {_MOST_ANSWERS} times. Nothing was changed; run it again when they have "
                "ended."
            )
        removal.refuse_unconfirmed(staged)
        if drops_duplicates(resource) and staged.repeats_keys:
            drop_duplicates(opened, resource, files)
        report.changes = staged.changes()
        report.late.compare(opened)
        if not request.allow_removal:
            refuse_large_removal(resource, report.changes)
        note_loaded(opened, resource, window, number)
        mend_clock(opened, resource.api, resource.name, datetime.now(UTC))
        let_dlt_complete(opened, table.resource, table.remembered)
        prepare_staging(opened, table)
        merge, written = merge_sql(opened, table, window, staged, files, report.changes)
        report.changes = replace(report.changes, written=written)
        destination = opened.destination(merge)
        info = table.pipeline.load(destination=destination, raise_on_failed_jobs=True)
        report.changes = staged.after(report.changes)
        after = opened.column_types(resource.api, resource.name)
    report.load_id = info.loads_ids[0]
    report.column_types = {name: of_ours(kind) or "text" for name, kind in after.items()}
    report.new_columns = tuple(name for name in after if table.stored and name not in table.stored)
    report.retyped_columns = dict(table.retyped)


def _refuse_changed_table(table: StoredTable, files: Sequence[str], opened: OpenWarehouse) -> None:
    """Raise _TableChangedError where the table is not the one that the answer was prepared for.

    Another load has made it or changed its types meanwhile; or dlt would append several files (it
    may be set to begin a new one now and then), each in a transaction of its own.
    """
    resource = table.resource
    if opened.column_types(resource.api, resource.name) != table.stored:
        raise _TableChangedError
    if len(files) > 1:
        hints = table.pipeline.default_schema.tables[resource.name]
        if hints["write_disposition"] == "append":
            raise _TableChangedError
