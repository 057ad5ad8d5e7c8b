"""What the keys of one resource must say together: columns, window, partitions, sync mode.

Each rule raises SpecError with the path of the offending key and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from timetracking_assets.ingest.api import CONFIGURED, Resource, column_name
from timetracking_assets.ingest.errors import SpecError, SpecPath
from timetracking_assets.ingest.spec import PartitionsSpec
from timetracking_assets.ingest.zones import check_timezone

_SELECTOR = re.compile(r"^(\$|[A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*)$")
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
    if column.on_type_mismatch == "text":
        raise SpecError(
            (*path, "columns", window.field, "on_type_mismatch"),
            f"'{window.field}' places rows in windows: it can't become text",
        )
    if column.nullable:
        raise SpecError(
            (*path, "columns", window.field),
            f"'{window.field}' places rows in windows: it needs `nullable: false`, or a row "
            "without it could never be removed",
        )
    check_timezone(partitions.timezone, (*path, "partitions", "timezone"))
    start_of(partitions, (*path, "partitions", "start"))


def check_removal(resource: Resource, path: SpecPath) -> None:
    """Totals have one place, and deleted rows are told in one way."""
    if resource.total and (resource.total.path is None) == (resource.total.header is None):
        raise SpecError((*path, "total"), "needs either `path` or `header`")
    if resource.total and resource.max_rows_per_answer:
        raise SpecError(
            (*path, "max_rows_per_answer"),
            "stands beside `total`: the total of an answer that is cut off is not the list's",
        )
    if resource.deleted_ids is None and resource.deleted_field is None:
        return
    if resource.deleted_ids and resource.deleted_field:
        raise SpecError((*path, "deleted_ids"), "stands beside `deleted_field`: say one of them")
    if resource.deleted_field and resource.deleted_field not in resource.columns:
        raise SpecError(
            (*path, "deleted_field"), f"'{resource.deleted_field}' must be declared in `columns`"
        )
    if resource.deleted_ids:
        if len(resource.primary_key) > 1:
            raise SpecError((*path, "deleted_ids"), "needs a `primary_key` of one column")
        where = (*path, "deleted_ids", "endpoint")
        check_endpoint(f"`deleted_ids` of '{resource.name}'", resource.deleted_ids.endpoint, where)
        if resource.primary_key[0] not in resource.columns:
            raise SpecError(
                (*path, "deleted_ids"),
                f"the key '{resource.primary_key[0]}' must be declared in `columns`",
            )


def check_endpoint(owner: str, endpoint: Mapping[str, Any], path: SpecPath) -> str:
    """The `data_selector` of an endpoint of `owner` that leaves nothing to a guess."""
    if not endpoint.get("path"):
        raise SpecError(path, f"{owner} has no `path`")
    if endpoint.get("paginator") in (None, "auto"):
        raise SpecError(
            path, f"{owner} has no `paginator`; one answer without pages is `single_page`"
        )
    selector = endpoint.get("data_selector")
    if not isinstance(selector, str) or not _SELECTOR.match(selector):
        raise SpecError(
            (*path, "data_selector"),
            f"{owner} needs a `data_selector`: the dotted path of the rows in the answer, such as "
            "`data` or `result.items`; `$` is the whole answer",
        )
    return selector


def why_not_probed(resource: Resource) -> str | None:
    """Why one request can't tell whether something changed; None if it can."""
    probe = resource.automation.probe
    partitions = resource.partitions
    if resource.parent and resource.parent.name != CONFIGURED:
        return f"would take one request for each row of its parent '{resource.parent.name}'"
    if resource.sync_mode == "changes":
        if partitions and partitions.type == "daily" and not partitions.current:
            return (
                "needs `current: true` in `partitions`: what changed just now lies in the running "
                "day, which is no partition"
            )
        return None
    paginator = resource.endpoint["paginator"]
    kind = paginator.get("type") if isinstance(paginator, dict) else paginator
    telling = resource.total or (probe and (probe.since_param or probe.params))
    if kind != "single_page" and not telling:
        return (
            "needs a `total`, a `since_param`, or `params` that bring the newest rows first: a "
            "change on a later page would not be seen"
        )
    return None


def check_probe(resource: Resource, path: SpecPath) -> None:
    """A probe that a resource itself asks for must be able to tell something."""
    if resource.automation.probe and (problem := why_not_probed(resource)):
        raise SpecError((*path, "probe"), problem)


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
