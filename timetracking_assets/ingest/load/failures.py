"""What a load raises when it fails: one message that says what to do, its secrets masked.

What somebody has changed by hand is explained in `hand_edits.py`.
"""

from __future__ import annotations

from errno import ENOSPC
from os import strerror

import duckdb

from timetracking_assets.errors import IngestError, cause_of
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.warehouse.base import Warehouse
from timetracking_assets.warehouse.scratch import MEMORY_LIMIT


def failure_of(
    error: Exception, request: LoadRequest, warehouse: Warehouse, report: LoadReport
) -> IngestError:
    """What is to be raised for `error`: what dlt chains to its own may hold a URL with a key."""
    cause = cause_of(error, IngestError)
    if isinstance(cause, IngestError):
        # a message may show a value of a row, and rows are as the API sent them
        cause.args = (request.connection.redactor(str(cause)), *cause.args[1:])
        return cause
    state = " and changed nothing"
    if "load" in report.seconds:
        state = " while it was written (the table is as before, or holds the whole answer)"
    message = f"{request.resource.label}: the load failed{state}: {cause}"
    masked = warehouse.redactor(request.connection.redactor(message))
    if _is_full_disk(cause):
        masked = masked.rstrip(".")
        masked += f". Free some space on the disk of {warehouse.work_dir.parent}, then load again."
    elif isinstance(cause, duckdb.OutOfMemoryException):
        masked += f" Raise {MEMORY_LIMIT}, then load again."
    elif advice := warehouse.advice(cause, request.resource.api, request.resource.name):
        masked += f" {advice}"
    return IngestError(masked)


def _is_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == ENOSPC
    # DuckDB has no type for it, and ends its message with the system's
    return isinstance(error, duckdb.Error) and strerror(ENOSPC) in str(error).rpartition('"')[2]
