"""What the keys of one resource must say together: columns, window, partitions, sync mode.

Each rule raises SpecError with the path of the offending key and what would be right.
"""

from __future__ import annotations

import re
from datetime import date

from timetracking_assets.ingest.api import Resource, column_name
from timetracking_assets.ingest.errors import SpecError, SpecPath
from timetracking_assets.ingest.spec import PartitionsSpec
from timetracking_assets.ingest.zones import check_timezone

_TIME_FORMATS = ("date", "unix_seconds", "unix_milliseconds")


def check_columns(resource: Resource, path: SpecPath) -> None:
    """Columns go by their names in the warehouse, and zones exist."""
    names = {"columns": list(resource.columns), "primary_key": list(resource.primary_key)}
    if resource.window:
        names["window"] = [resource.window.field]
    for key, columns in names.items():
        for name in columns:
            if column_name(name) != name:
                raise SpecError(
                    (*path, key), f"'{name}' is called '{column_name(name)}' in the warehouse"
                )
    for name, column in resource.columns.items():
        check_timezone(column.timezone, (*path, "columns", name, "timezone"))


def check_window(resource: Resource, path: SpecPath) -> None:
    """A snapshot has no window; the other modes have one that can be asked for and checked."""
    window, partitions = resource.window, resource.partitions
    if resource.sync_mode == "snapshot":
        if window or partitions:
            raise SpecError(
                path,
                f"resource '{resource.name}' is a snapshot (the whole list): it takes no `window` "
                "and no `partitions`; for a part say `sync_mode: window` or `changes`",
            )
        return
    if not window or not partitions:
        missing = "window" if not window else "partitions"
        raise SpecError(path, f"`sync_mode: {resource.sync_mode}` needs `{missing}`")
    if not (window.start_param or window.year_param) or (window.start_param and window.year_param):
        raise SpecError((*path, "window"), "needs either `start_param` or `year_param`")
    if window.end_param and not window.start_param:
        raise SpecError((*path, "window", "end_param"), "needs `start_param`")
    if window.format not in _TIME_FORMATS and "%" not in window.format:
        raise SpecError(
            (*path, "window", "format"),
            f"'{window.format}' is none of {', '.join(_TIME_FORMATS)}, nor a strftime pattern",
        )
    if window.year_param and partitions.type != "yearly":
        raise SpecError((*path, "window", "year_param"), "needs `partitions` of type yearly")
    column = resource.columns.get(window.field)
    if column is None or column.data_type not in ("timestamp", "date"):
        raise SpecError(
            (*path, "window", "field"),
            f"'{window.field}' must be declared in `columns` with data_type timestamp or date: "
            "instants are compared, not text",
        )
    if column.nullable:
        raise SpecError(
            (*path, "columns", window.field),
            f"'{window.field}' places rows in windows: it needs `nullable: false`, or a row "
            "without it could never be removed",
        )
    check_timezone(partitions.timezone, (*path, "partitions", "timezone"))
    start_of(partitions, (*path, "partitions", "start"))


def start_of(partitions: PartitionsSpec, path: SpecPath = ("partitions", "start")) -> date:
    """The first day of the first partition. Raises SpecError for a text that is no day or year."""
    text = partitions.start.strip()
    try:
        start = date(int(text), 1, 1) if re.fullmatch(r"\d{4}", text) else date.fromisoformat(text)
    except ValueError:
        start = None
    if start is None or (partitions.type == "daily" and re.fullmatch(r"\d{4}", text)):
        wanted = "a day, `YYYY-MM-DD`" if partitions.type == "daily" else "a year, `YYYY`"
        raise SpecError(path, f"'{partitions.start}' is not {wanted}")
    return start.replace(month=1, day=1) if partitions.type == "yearly" else start
