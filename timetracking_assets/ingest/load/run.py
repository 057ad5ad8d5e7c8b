"""One load: extract a resource's answer, then make its table equal to it, or change nothing.

The extraction runs without the warehouse's lock; the lock is held while dlt restores the schema
and while it loads. Each load has its own working directory and always the same pipeline name, so
that the schema is the table's and no package of another load is ever met (one pipeline name
per partition corrupts data). What the answer meant for the table is counted in `changes.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import dlt
from dlt.common.typing import TRefreshMode

from timetracking_assets.errors import IngestError, TypeMismatchError, cause_of
from timetracking_assets.ingest.columns.page_typer import PageTyper, WidenedError
from timetracking_assets.ingest.load.answer import answer_source
from timetracking_assets.ingest.load.changes import StagedAnswer
from timetracking_assets.ingest.load.merge import (
    drop_duplicates,
    drops_duplicates,
    forget_types,
    is_first_load,
    refuse_large_removal,
    turn_into_text,
    with_text_columns,
)
from timetracking_assets.ingest.load.parents import requested_parent_rows, stored_parent_rows
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.base import OpenWarehouse, Warehouse
from timetracking_assets.warehouse.private_files import private_work_dir
from timetracking_assets.warehouse.scratch import MEMORY_LIMIT
from timetracking_assets.warehouse.types import ARROW_TYPES


def run_load(request: LoadRequest, warehouse: Warehouse) -> LoadReport:
    """Load once. Raises IngestError (its text masked); the table is then as it was before.

    But for a disk that fills up, or a process that ends, after the merge: dlt's note of the load
    may then be missing, and the message says that the answer may be there.
    """
    inferred: dict[str, DataType] = {}
    may_append = True
    while True:
        widened = _attempt(request, warehouse, inferred, may_append)
        if isinstance(widened, LoadReport):
            return widened
        if isinstance(widened, _MustMergeError):
            may_append = False
            continue
        if inferred.get(widened.column) == widened.data_type:
            raise TypeMismatchError(
                f"{request.resource.label}: column '{widened.column}' holds values that are not "
                f"even {widened.data_type}; nothing was loaded"
            )
        inferred[widened.column] = widened.data_type


class _MustMergeError(Exception):
    """What was asked for as a first load can't be one; nothing has been written."""


def _attempt(
    request: LoadRequest,
    warehouse: Warehouse,
    inferred: Mapping[str, DataType],
    may_append: bool,
) -> LoadReport | WidenedError | _MustMergeError:
    failure: BaseException | None = None
    report = LoadReport(request.resource, request.window)
    warehouse.prepare()
    try:
        with private_work_dir(warehouse.work_dir) as work_dir:
            return _load(request, warehouse, inferred, may_append, work_dir, report)
    except Exception as error:
        failure = cause_of(error, IngestError, WidenedError, _MustMergeError)
    # outside the except block: what dlt chains to its errors may hold a URL, and with it a key
    if isinstance(failure, WidenedError | _MustMergeError):
        return failure
    if isinstance(failure, IngestError):
        raise failure
    told = f"{request.resource.label}: the load failed{_what_stands(report)}: {failure}"
    masked = warehouse.redactor(request.connection.redactor(told))
    raise IngestError(masked + _advice(failure, warehouse))


def _what_stands(report: LoadReport) -> str:
    if "load" not in report.seconds:
        return " and changed nothing"
    return " while it was written (the table is as before, or holds the whole answer)"


def _advice(failure: BaseException | None, warehouse: Warehouse) -> str:
    if "No space left" in str(failure):
        return f" Free some space on the disk of {warehouse.work_dir.parent}, then load again."
    if "Out of Memory" in str(failure):
        return f" Raise {MEMORY_LIMIT}, then load again."
    return ""


def _load(
    request: LoadRequest,
    warehouse: Warehouse,
    inferred: Mapping[str, DataType],
    may_append: bool,
    work_dir: Path,
    report: LoadReport,
) -> LoadReport:
    resource, connection = request.resource, request.connection
    pipeline = dlt.pipeline(
        f"{resource.api}__{resource.name}",
        pipelines_dir=str(work_dir),
        destination=warehouse.destination(),
        dataset_name=resource.api,
    )

    def exclusive() -> AbstractContextManager[OpenWarehouse]:
        return warehouse.exclusive(request.holder, request.log, dataset=resource.api)

    with exclusive() as opened, report.phase("restore"):
        report.seconds["lock"] = opened.waited
        pipeline.sync_destination()
        stored = opened.column_types(resource.api, resource.name)
        parent_rows = stored_parent_rows(connection, resource, opened)
    resource = with_text_columns(resource, stored, inferred)
    request = replace(request, resource=resource)
    forget_types(pipeline, resource)
    known = _known_types(resource, stored)
    was_dropped = not stored and _is_remembered(pipeline, resource)
    first_load = may_append and not was_dropped and is_first_load(resource, stored)

    with report.phase("extract"):
        if resource.parent is not None and parent_rows is None:
            parent_rows = requested_parent_rows(connection, resource, report.requests)
        typer = PageTyper(resource, known, inferred)
        source = answer_source(
            request, typer, parent_rows, report, warehouse, first_load=first_load
        )
        # what dlt remembers as made, it would not make again
        refresh: TRefreshMode | None = "drop_resources" if was_dropped else None
        pipeline.extract(source, loader_file_format="parquet", refresh=refresh)
    with report.phase("normalize"):
        pipeline.normalize()

    with exclusive() as opened, report.phase("load"):
        report.seconds["lock"] += opened.waited
        files = _staged_files(pipeline, resource)
        if first_load or was_dropped:
            _refuse_as_first(pipeline, resource, files, opened)
        staged = StagedAnswer(opened, resource, files, request.window)
        if drops_duplicates(resource) and staged.repeats_keys:
            drop_duplicates(opened, resource, files)
        report.changes = staged.changes()
        report.late.compare(opened)
        if not request.allow_removal:
            refuse_large_removal(resource, report.changes)
        turn_into_text(opened, resource)
        info = pipeline.load(raise_on_failed_jobs=True)
        report.changes = staged.after(report.changes)
        after = opened.column_types(resource.api, resource.name)
    report.load_id = info.loads_ids[0]
    report.column_types = {name: _data_type(kind) or "text" for name, kind in after.items()}
    report.new_columns = tuple(name for name in after if stored and name not in stored)
    return report


def _is_remembered(pipeline: Any, resource: Resource) -> bool:
    """Whether dlt's restored schema knows the resource's table."""
    return bool(pipeline.default_schema_name) and resource.name in pipeline.default_schema.tables


def _refuse_as_first(
    pipeline: Any, resource: Resource, files: Sequence[str], opened: OpenWarehouse
) -> None:
    """Raise _MustMergeError where another load has made the table meanwhile, or where dlt would
    append several files (it may be told to begin a new one now and then), each on its own.
    """
    appends = pipeline.default_schema.tables[resource.name]["write_disposition"] == "append"
    if opened.column_types(resource.api, resource.name) or (appends and len(files) > 1):
        raise _MustMergeError


def _known_types(resource: Resource, stored: Mapping[str, str]) -> dict[str, DataType]:
    known = {name: known for name, kind in stored.items() if (known := _data_type(kind))}
    for name, column in resource.columns.items():
        if name in resource.any_text_columns:
            known.pop(name, None)
        if known.get(name, column.data_type) != column.data_type:
            raise TypeMismatchError(
                f"{resource.label}: column '{name}' is declared as {column.data_type}, but the "
                f"table {resource.api}.{resource.name} holds it as {known[name]}. Declare it as "
                f"{known[name]}, or drop the table and load it again."
            )
    return known


def _data_type(kind: str) -> DataType | None:
    """The type of a stored column, if it is one that an answer's columns can have."""
    return cast(DataType, kind) if kind in ARROW_TYPES else None


def _staged_files(pipeline: Any, resource: Resource) -> list[str]:
    [load_id] = pipeline.list_normalized_load_packages()
    jobs = pipeline.get_load_package_info(load_id).jobs["new_jobs"]
    return [
        job.file_path
        for job in jobs
        if job.job_file_info.table_name == resource.name and job.file_path.endswith(".parquet")
    ]
