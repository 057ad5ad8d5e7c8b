"""A request with the values that it needs: those of a parent's row, and of a window.

Placeholders and window parameters are put in here; which rows and windows there are is decided in
`fetch.py`. What the file says itself is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.http.parameters import as_json
from timetracking_assets.spec.api import Resource

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{resources\.[^.{}]+\.([^{}]+)\}")
_LITERAL = {"{{": "{", "}}": "}"}


@dataclass(frozen=True)
class ListRequest:
    """What the first page of a list is requested with; a paginator changes it from page to page."""

    method: Any
    path: str
    params: dict[str, Any]
    headers: dict[str, Any] | None
    json: Any
    data: Any


def list_request(
    resource: Resource, window_params: Mapping[str, Any], parent_row: Mapping[str, Any] | None
) -> ListRequest:
    """The request for the list of one parent's row (None without a parent) and one window.

    Raises AnswerError where a value can't be one segment of a path.
    """
    endpoint = deepcopy(resource.endpoint)
    row = parent_row or {}

    def bound(value: Any) -> Any:
        return value if parent_row is None else _bound(value, resource, row)

    params = bound(endpoint.get("params") or {})
    for name, value in params.items():
        if value is None:
            raise AnswerError(
                f"{resource.label}: the parameter `{name}` would be null for the parent's row "
                f"{dict(row)}: without it, another list would be requested"
            )
    body = bound(endpoint.get("json"))
    if resource.window is None or resource.window.location == "params":
        params |= window_params
    else:
        for dotted, value in window_params.items():
            _put(body, dotted, value)
    headers = endpoint.get("headers")
    return ListRequest(
        method=endpoint.get("method", "GET"),
        path=_path(endpoint["path"], resource, row),
        params=params,
        headers={name: str(bound(value)) for name, value in headers.items()} if headers else None,
        json=body,
        data=bound(endpoint.get("data")),
    )


def _put(body: dict[str, Any], dotted: str, value: Any) -> None:
    *outer, last = dotted.split(".")
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = value


def _bound(value: Any, resource: Resource, row: Mapping[str, Any]) -> Any:
    """`value` with its placeholders replaced; one that is nothing else keeps the value's type."""
    if isinstance(value, str):
        alone = _PLACEHOLDER.fullmatch(value)
        if alone and alone[1]:
            return _value(alone[1], resource, row)
        return _replaced(value, lambda field: str(_value(field, resource, row)))
    if isinstance(value, Mapping):
        return {_bound(k, resource, row): _bound(v, resource, row) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_bound(item, resource, row) for item in value]
    return value


def _path(template: str, resource: Resource, row: Mapping[str, Any]) -> str:
    """The path with each value as one segment of it, or of a query that the path holds."""
    path, mark, query = template.partition("?")
    # a placeholder's own name holds no slash
    segments = [_segment(part, resource, row) for part in path.split("/")]
    in_query = _replaced(query, lambda field: _quoted(field, resource, row))
    return "/".join(segments) + mark + in_query


def _segment(template: str, resource: Resource, row: Mapping[str, Any]) -> str:
    fields: list[str] = []

    def encoded(field: str) -> str:
        fields.append(field)
        text = _quoted(field, resource, row)
        if not text:
            raise _no_segment(resource, field, row)
        return text

    segment = _replaced(template, encoded)
    if fields and segment in (".", ".."):
        raise _no_segment(resource, fields[0], row)
    return segment


def _quoted(field: str, resource: Resource, row: Mapping[str, Any]) -> str:
    value = _value(field, resource, row)
    try:
        return "" if value is None else quote(as_json({field: value})[field], safe="")
    except UnicodeEncodeError:
        return ""


def _no_segment(resource: Resource, field: str, row: Mapping[str, Any]) -> AnswerError:
    parent = resource.parent.name if resource.parent else "its parent"
    return AnswerError(
        f"{resource.label}: `{field}` of '{parent}' is {str(row.get(field))!r} in a row, which "
        f"can't be one segment of the path `{resource.endpoint['path']}`. Correct that row in the "
        "API, or leave the resource out (`exclude`)."
    )


def _value(field: str, resource: Resource, row: Mapping[str, Any]) -> Any:
    if field in row:
        return row[field]
    parent = resource.parent.name if resource.parent else "its parent"
    raise AnswerError(
        f"{resource.label}: the rows of '{parent}' have no `{field}`; they have {', '.join(row)}"
    )


def _replaced(template: str, value_of: Callable[[str], str]) -> str:
    return _PLACEHOLDER.sub(
        lambda match: value_of(match[1]) if match[1] else _LITERAL[match[0]], template
    )
