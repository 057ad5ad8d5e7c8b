"""Which keys of one resource need or exclude each other: columns, window, partitions, sync mode.

Each rule raises SpecError with the path of the offending key and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.api import CONFIGURED, Parent, Resource, column_name
from timetracking_assets.spec.automation import ProbeSpec
from timetracking_assets.spec.mistakes import Mistakes
from timetracking_assets.spec.model import ResourceSpec
from timetracking_assets.spec.variables import refuse_in_endpoint
from timetracking_assets.spec.window import WindowSpec

_SELECTOR = re.compile(
    r"^(\$|(\$(\.\*|\[\*\])|\*|[A-Za-z0-9_\-]+)(\[\*\]|\.\*|\.[A-Za-z0-9_\-]+)*)$"
)
_TIME_FORMATS = ("iso", "date", "unix_seconds", "unix_milliseconds")


def check_columns(resource: Resource, path: SpecPath) -> None:
    """Columns go by their names in the warehouse, and zones exist."""
    names: list[tuple[SpecPath, str]] = [
        *(((*path, "columns", name), name) for name in resource.columns),
        *(((*path, "primary_key"), name) for name in resource.primary_key),
    ]
    if resource.window:
        names.append(((*path, "window", "field"), resource.window.field))
    mistakes = Mistakes()
    for where, name in names:
        if (column := _nested_name(name)) != name:
            mistakes.append(SpecError(where, f"'{name}' is called '{column}' in the warehouse"))
    mistakes.raise_any()
    _check_keys_are_declared(resource, path)
    _check_fields(resource, path)


def check_declared(resource: Resource, name: str, path: SpecPath) -> None:
    """A column that the key at `path` names is one of the declared `columns`."""
    if name in resource.columns:
        return
    column = _nested_name(name)
    if column in resource.columns:
        raise SpecError(path, f"'{name}' is called '{column}' in the warehouse")
    near = get_close_matches(column, resource.columns, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"declare `{column}` there with its data_type"
    raise SpecError(path, f"'{name}' is not declared in `columns` of '{resource.name}'; {hint}")


def _nested_name(name: str) -> str:
    """The column of a field, or of one in nested objects that is written with dots."""
    return column_name(name.replace(".", "__"))


def _check_fields(resource: Resource, path: SpecPath) -> None:
    """A field goes into one column."""
    columns: dict[tuple[str, ...], str] = {}
    for name, column in resource.columns.items():
        if column.field is None:
            continue
        if column.field in columns:
            raise SpecError(
                (*path, "columns", name, "field"),
                f"is already the field of column '{columns[column.field]}'",
            )
        columns[column.field] = name


def _check_keys_are_declared(resource: Resource, path: SpecPath) -> None:
    """A key column may be inferred, but one that is almost a declared one is a slip."""
    for name in resource.primary_key:
        if name not in resource.columns:
            near = get_close_matches(name, resource.columns, n=1, cutoff=0.75)
            if near:
                raise SpecError(
                    (*path, "primary_key"),
                    f"'{name}' is not among `columns`, which have '{near[0]}'; declare it if both "
                    "exist",
                )


def check_window(resource: Resource, path: SpecPath) -> None:
    """A snapshot has no window; the other modes have one that can be requested and checked."""
    window, partitions = resource.window, resource.partitions
    if resource.sync_mode == "snapshot":
        if window or partitions:
            raise SpecError(
                path,
                f"resource '{resource.name}' is a snapshot (the whole list): it takes no `window` "
                "and no `partitions`; for a part set `sync_mode: window` or `changes`",
            )
        return
    if not window or not partitions:
        missing = "window" if not window else "partitions"
        raise SpecError(path, f"`sync_mode: {resource.sync_mode}` needs `{missing}`")
    if not (window.start_param or window.year_param) or (window.start_param and window.year_param):
        raise SpecError((*path, "window"), "needs either `start_param` or `year_param`")
    if window.end_param and not window.start_param:
        raise SpecError((*path, "window", "end_param"), "needs `start_param`")
    _check_bounds(resource, window, (*path, "window"))
    if window.year_param and partitions.type != "yearly":
        raise SpecError((*path, "window", "year_param"), "needs `partitions` of type yearly")
    column = resource.columns.get(window.field)
    if column is None and _nested_name(window.field) != window.field:
        return  # its name is refused, which is the one mistake
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


def _check_bounds(resource: Resource, window: WindowSpec, path: SpecPath) -> None:
    if window.format not in _TIME_FORMATS and "%" not in window.format:
        raise SpecError(
            (*path, "format"),
            f"'{window.format}' is not one of {', '.join(_TIME_FORMATS)}, nor a strftime pattern",
        )
    if window.timezone != "UTC" and window.format in ("unix_seconds", "unix_milliseconds"):
        raise SpecError((*path, "timezone"), f"has no meaning for `format: {window.format}`")
    column = resource.columns.get(window.field)
    dates = column is not None and column.data_type == "date"
    if window.timezone != "UTC" and window.format == "date" and dates:
        raise SpecError(
            (*path, "timezone"),
            f"has no meaning where `{window.field}` is a date: rows have the days that the API "
            "means",
        )
    if window.timezone != "UTC" and re.search(r"[^%]Z$", window.format):
        raise SpecError(
            (*path, "timezone"),
            f"the Z in `format: {window.format}` means UTC; leave it out, or set `format: iso`",
        )
    if window.end_inclusive and not (window.end_param and window.format == "date"):
        raise SpecError((*path, "end_inclusive"), "needs `end_param` and `format: date`")
    if window.max_days and not window.end_param:
        raise SpecError(
            (*path, "max_days"), "needs `start_param` and `end_param`: a part has two ends"
        )
    if window.location == "json" and "json" not in resource.endpoint:
        raise SpecError(
            (*path, "location"), "needs a body: `endpoint: {method: POST, json: {}}`, for example"
        )


def check_pages(resource: Resource, path: SpecPath) -> None:
    """Keys about pages belong to paginators that they can steer; no key means a whole list."""
    if resource.repeated_page == "stop" and _paginator(resource) not in ("page_number", "offset"):
        raise SpecError(
            (*path, "repeated_page"), "`stop` needs a paginator of type page_number or offset"
        )
    _check_outer_fields(resource, (*path, "outer_fields"))
    if not resource.primary_key and resource.sync_mode != "snapshot":
        raise SpecError(
            (*path, "primary_key"),
            f"`[]` (no key) needs `sync_mode: snapshot`: without one, rows that moved or changed "
            f"can't be found again, as `{resource.sync_mode}` must",
        )


def _check_outer_fields(resource: Resource, path: SpecPath) -> None:
    """What a row lies in is on the way to it."""
    selector = resource.data_selector.replace("[*]", ".*").removeprefix("$.")
    for name, outer in resource.outer_fields.items():
        place, star, _ = outer.replace("[*]", ".*").removeprefix("$.").rpartition("*")
        if not star or not f"{selector}.".startswith(f"{place}*."):
            raise SpecError(
                (*path, name),
                f"'{outer}' is not on the way to the rows: it must begin as `data_selector` "
                f"(`{resource.data_selector}`) does, up to a `*`",
            )


def _paginator(resource: ResourceSpec) -> Any:
    paginator = resource.endpoint["paginator"]
    return paginator.get("type") if isinstance(paginator, dict) else paginator


def check_removal(resource: Resource, path: SpecPath) -> None:
    """A total has one place, and deleted rows are reported in one way."""
    if resource.total and (resource.total.path is None) == (resource.total.header is None):
        raise SpecError((*path, "total"), "needs either `path` or `header`")
    if resource.total and resource.max_rows_per_answer:
        raise SpecError(
            (*path, "max_rows_per_answer"),
            "excludes `total`: the total of an answer that is cut off is not the list's",
        )
    if resource.deleted_ids is None and resource.deleted_field is None:
        return
    if resource.deleted_ids and resource.deleted_field:
        raise SpecError((*path, "deleted_ids"), "excludes `deleted_field`: keep one of them")
    if resource.deleted_field and resource.deleted_field not in resource.columns:
        raise SpecError(
            (*path, "deleted_field"), f"'{resource.deleted_field}' must be declared in `columns`"
        )
    if not resource.primary_key:
        key = "deleted_ids" if resource.deleted_ids else "deleted_field"
        raise SpecError((*path, key), "needs a `primary_key`, which identifies deleted rows")
    if resource.deleted_ids:
        if len(resource.primary_key) > 1:
            raise SpecError((*path, "deleted_ids"), "needs a `primary_key` of one column")
        where = (*path, "deleted_ids", "endpoint")
        check_endpoint(f"`deleted_ids` of '{resource.name}'", resource.deleted_ids.endpoint, where)
        refuse_in_endpoint(resource.deleted_ids.endpoint, where)
        if resource.primary_key[0] not in resource.columns:
            raise SpecError(
                (*path, "deleted_ids"),
                f"the key '{resource.primary_key[0]}' must be declared in `columns`",
            )


def check_endpoint(owner: str, endpoint: Mapping[str, Any], path: SpecPath) -> str:
    """The `data_selector` of an endpoint of `owner` that leaves nothing to a guess."""
    if not endpoint.get("path"):
        raise SpecError(path, f"{owner} has no `path`")
    paginator = endpoint.get("paginator")
    if paginator in (None, "auto"):
        raise SpecError(
            path,
            f"{owner} has no `paginator`; one answer without pages is `single_page`",
        )
    if isinstance(paginator, Mapping) and "type" not in paginator:
        raise SpecError((*path, "paginator"), "needs a `type`")
    selector = endpoint.get("data_selector")
    if not isinstance(selector, str) or not _SELECTOR.match(selector):
        raise SpecError(
            (*path, "data_selector"),
            f"{owner} needs a `data_selector`: the dotted "
            "path of the rows in the answer, such as `data` or `result.items`; `$` is the whole "
            "answer, and `*` stands for each key of an object, or each item of a list",
        )
    return selector


def why_not_probed(resource: ResourceSpec, probe: ProbeSpec, parent: Parent | None) -> str | None:
    """Why one request can't show whether something changed; None if it can."""
    partitions = resource.partitions
    if parent and parent.name != CONFIGURED:
        return f"would take one request for each row of its parent '{parent.name}'"
    if resource.sync_mode == "changes":
        if partitions and partitions.type == "daily" and not partitions.current:
            return (
                "needs `current: true` in `partitions`: what changed just now lies in the running "
                "day, which is no partition"
            )
        return None
    if _paginator(resource) != "single_page" and not (
        resource.total or probe.since_param or probe.params
    ):
        return (
            "needs a `total`, a `since_param`, or `params` that bring the newest rows first: a "
            "change on a later page would not be seen"
        )
    return None
