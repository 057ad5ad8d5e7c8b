"""A resource's answer held against its file: status, rows, key, columns, window.

Its pages are judged in `paging.py`; how it is requested, in `sample.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from timetracking_assets.doctor.findings import Finding
from timetracking_assets.doctor.sample import Sample
from timetracking_assets.doctor.shapes import (
    MISSING,
    Row,
    at,
    best_place,
    flat,
    instant_of,
    map_place,
    possible_keys,
    time_format,
)
from timetracking_assets.ingest.columns.values import fits
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Resource, column_name
from timetracking_assets.spec.model import ColumnSpec
from timetracking_assets.spec.window import WindowSpec

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
_STATUS = {
    400: ("parameters", "the API refuses the parameters, or misses one or a header"),
    401: ("credentials", "the credentials are not accepted"),
    402: ("quota", "the quota is used up, or the account's plan does not include this"),
    403: ("permission", "the account may not read this"),
    404: ("path", "nothing is at this path (or this is how the API answers for an empty list)"),
    405: ("method", "the path takes another method"),
    422: ("parameters", "the API refuses the parameters"),
    429: ("quota", "too many requests"),
}
_YAML = {
    403: "exclude: [{name}]   # beside `resources`",
    404: "# endpoint: {{path: ...}}, or, for an empty list: success_codes: [404]",
    405: "endpoint: {{method: POST, json: {{}}}}",
}


def judge_status(resource: Resource, sample: Sample, message: str) -> Finding:
    """Whether an answer came at all; `message` is the beginning of its body, masked."""
    status = sample.status
    if sample.problem is not None:
        return Finding("error", "quota" if sample.quota_used_up else "reachable", sample.problem)
    if status in (200, *resource.success_codes):
        return Finding("ok", "permission", f"HTTP {status}")
    if status < 300:
        yaml = f"success_codes: [{status}]"
        return Finding("error", "status", f"HTTP {status} counts as no success", yaml)
    topic, text = _STATUS.get(status, ("status", "the API failed"))
    yaml_text = _YAML.get(status, "").format(name=resource.name) or None
    header = re.search(r"\bX-[A-Za-z][A-Za-z-]*", message)
    if status in (400, 401, 403) and header:
        yaml_text = (
            f'client: {{headers: {{{header[0]}: "${{MY_VARIABLE}}"}}}}   # beside `resources`'
        )
    days = re.search(r"\b(\d+) days?\b", message)
    if status in (400, 422) and days and resource.window:
        yaml_text = f"window: {{max_days: {days[1]}}}"
    challenge = sample.headers.get("www-authenticate", "")
    scheme = f"; it asks for {challenge.split()[0]}" if status == 401 and challenge else ""
    return Finding(
        "error", topic, f"HTTP {status}: {text}{scheme}. Its message: {message}", yaml_text
    )


def decoded(content: bytes) -> Any:
    """The JSON of an answer, or MISSING where it is not JSON."""
    try:
        return _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return MISSING


def find_rows(resource: Resource, body: Any) -> tuple[str, list[dict[str, Any]], Finding]:
    """Where the rows are, the rows as columns see them, and the finding about them."""
    selector = resource.data_selector
    value = MISSING if body is MISSING else at(body, selector)
    place = selector
    finding = Finding("ok", "rows", f"at `{selector}`")
    known = {*resource.columns, *resource.primary_key}
    keyed, outer = None, ""
    if isinstance(value, dict) and not known & set(map(column_name, flat(value))):
        keyed, outer = map_place(value), selector
    elif value is MISSING and best_place(body) is None:
        keyed = map_place(body)
    if keyed:
        place = ".".join([*(path for path in (outer, keyed) if path not in ("", "$")), "*"])
        yaml = f'endpoint: {{data_selector: "{place}"}}\nouter_fields: {{key: "{place}"}}'
        message = f"rows lie below the keys of an object: `{place}` takes them, with their keys"
        finding = Finding("error", "rows", message, yaml)
        value = at(body, place)
    elif body is MISSING:
        finding = Finding("error", "rows", "the answer is not JSON: check the base URL and `path`")
    elif not isinstance(value, list | dict | None) and best_place(body) is None:
        message = f"there is nothing at `{selector}`, and no list anywhere in the answer"
        finding = Finding("error", "rows", message)
    elif not isinstance(value, list | dict | None):
        place = best_place(body) or "$"
        value = at(body, place)
        yaml = f"endpoint: {{data_selector: {place}}}"
        message = f"there is nothing at `{selector}`; there is a list at `{place}`"
        finding = Finding("error", "rows", message, yaml)
        if value is None and not resource.null_is_empty:
            yaml = f"{yaml}\nnull_is_empty: true"
            message = f"there is nothing at `{selector}`; there is null at `{place}`"
            finding = Finding("error", "rows", message, yaml)
    elif value is None and not resource.null_is_empty:
        finding = Finding("error", "rows", f"null at `{selector}`", "null_is_empty: true")
    elif (
        isinstance(value, dict)
        and not {*resource.columns, *resource.primary_key} & set(map(column_name, flat(value)))
        and (inner := best_place(value))
        and at(value, inner)
    ):
        place = f"{selector}.{inner}" if selector != "$" else inner
        yaml = f"endpoint: {{data_selector: {place}}}"
        message = f"one object at `{selector}`, with a list at `{place}`"
        finding = Finding("advice", "rows", message, yaml)
        value = at(body, place)
    rows = value if isinstance(value, list) else [value]
    named = [flat(row) for row in rows if isinstance(row, dict)]
    columns = [{column_name(name): v for name, v in row.items()} for row in named]
    return place, columns, finding


def judge_key(resource: Resource, rows: Sequence[Row]) -> Iterator[Finding]:
    """Whether the configured key identifies these rows, and what else could."""
    key = [name for name in resource.primary_key if not name.startswith("_")]
    keys = possible_keys(rows)
    absent = [name for name in key if any(row.get(name) is None for row in rows)]
    values = [tuple(row.get(name) for name in key) for row in rows]
    if key and not absent and (len(set(values)) == len(values)):
        yield Finding("ok", "key", f"{', '.join(key)}: in every row, and no two the same")
        return
    if not key:
        if keys and not resource.primary_key:
            yaml = f"primary_key: {keys[0]}"
            yield Finding("advice", "key", f"{', '.join(keys)} could be a key", yaml)
        return
    why = f"no `{absent[0]}` in every row" if absent else f"`{', '.join(key)}` is not unique"
    could = f"could be: {', '.join(keys)}" if keys else "no field has a value of its own per row"
    yaml = f"primary_key: {keys[0] if keys else '[]'}"
    if absent and keys and absent[0] in resource.columns:
        kind = "bigint" if isinstance(rows[0][keys[0]], int) else "text"
        yaml += (
            f"\ncolumns:\n  {absent[0]}: null\n  {keys[0]}: {{data_type: {kind}, nullable: false}}"
        )
    yield Finding("error", "key", f"{why}; {could}", yaml)


def judge_columns(resource: Resource, rows: Sequence[Row]) -> Iterator[Finding]:
    """Declared columns that are absent or don't fit, and times that aren't declared."""
    present = {name for row in rows for name in row}
    absent = [n for n in resource.columns if n not in present and not n.startswith("_")]
    needed = [
        n for n in absent if not resource.columns[n].nullable and n not in resource.primary_key
    ]
    for name in needed:
        yield Finding(
            "error", "columns", f"no row has `{name}`, which may not be null", _taken_out([name])
        )
    if rest := [n for n in absent if n not in (*needed, *resource.primary_key)]:
        message = f"declared, but in no row: {', '.join(rest)}"
        yield Finding("advice", "columns", message, _taken_out(rest))
    for name, column in resource.columns.items():
        values = [row[name] for row in rows if row.get(name) is not None]
        wrong = [value for value in values if not fits(value, column.data_type, column)]
        if wrong:
            example = _encode(wrong[0]).decode()[:40]
            message = f"`{name}` is {column.data_type}, but holds {example}"
            yaml = f"columns:\n  {name}: {_declaration(wrong[0], column)}"
            yield Finding("error", "columns", message, yaml)
        elif _is_read_as_utc(column) and any(time_format(v) == "local" for v in values):
            message = f"`{name}` names no zone and is read as UTC"
            yaml = f"columns:\n  {name}: {{timezone: Europe/Berlin}}   # if it is local time"
            yield Finding("advice", "times", message, yaml)
    times = {
        name: row[name]
        for row in rows
        for name in row
        if name not in resource.columns and time_format(row[name])
    }
    if times:
        lines = "".join(f"\n  {name}: {_declaration(v)}" for name, v in times.items())
        message = f"times that are not declared: {', '.join(times)}"
        yield Finding("advice", "times", message, f"columns:{lines}")


def judge_window_field(
    resource: Resource, rows: Sequence[Row], window: Window | None = None
) -> Iterator[Finding]:
    """Whether rows have the field that places them in a window, and lie in the one requested."""
    if resource.window is None:
        return
    days = list(_judge_days(resource))
    yield from days
    if window is not None and not days:
        yield from _judge_bounds(resource, resource.window, rows, window)
    if all(row.get(resource.window.field) for row in rows):
        return
    name = resource.window.field
    times = [n for n in rows[0] if time_format(rows[0][n]) and n != name]
    could = f"; times are: {', '.join(times)}" if times else ""
    lines = f"window: {{field: {times[0]}}}" if times else None
    if times:
        declared = _declaration(rows[0][times[0]]).replace("}", ", nullable: false}")
        lines = f"{lines}\ncolumns:\n  {times[0]}: {declared}"
    yield Finding("error", "window", f"no `{name}` in every row{could}", lines)


def _judge_days(resource: Resource) -> Iterator[Finding]:
    """Whether the file says whose days the API means, where a window is requested by them."""
    window, partitions = resource.window, resource.partitions
    column = resource.columns.get(window.field) if window else None
    if window is None or column is None or column.data_type != "timestamp":
        return
    stated = window.states_timezone or (partitions is not None and partitions.states_timezone)
    if (window.asks_by_day or window.year_param) and not stated:
        unit = "years" if window.year_param else "days"
        message = (
            f"it is requested by {unit}, but not which zone's {unit} the API means (UTC, or those "
            "of the account): a day more is requested on each side"
        )
        yield Finding("advice", "window", message, "# window: {timezone: ...}")


def _judge_bounds(
    resource: Resource, spec: WindowSpec, rows: Sequence[Row], window: Window
) -> Iterator[Finding]:
    """Whether rows lie less than a day outside of the window: the API may mean local days."""
    column = resource.columns.get(spec.field)
    if column is None or column.data_type != "timestamp" or spec.year_param:
        return
    requested = window
    if spec.asks_by_day:
        zone = next(k.timezone for k in (spec, resource.partitions) if k and k.states_timezone)
        requested = Window.of_days(*replace(window, timezone=zone).dates, zone)
    outside = []
    for row in rows:
        instant = instant_of(row.get(spec.field), column.timezone)
        if instant is None:
            continue
        if spec.start_param and instant < requested.start:
            outside.append(requested.start - instant)
        elif spec.end_param and instant >= requested.end:
            outside.append(instant - requested.end)
    if outside and max(outside) < timedelta(days=1):
        message = (
            f"{len(outside)} of {len(rows)} rows lie outside of the requested window {requested}, "
            f"by at most {max(outside) // timedelta(minutes=1) + 1} minutes: the API means days of "
            "another zone, or gives what overlaps the window. With days of another zone, rows at "
            "the other end are left out"
        )
        yaml = "# window: {format: date, timezone: ...}   # the zone of the account"
        yield Finding("advice", "window", message, yaml)


def _is_read_as_utc(column: ColumnSpec) -> bool:
    return column.data_type == "timestamp" and column.timezone == "UTC"


def _taken_out(names: list[str]) -> str:
    return "columns: {" + ", ".join(f"{name}: null" for name in names) + "}"


def _declaration(value: Any, column: ColumnSpec | None = None) -> str:
    kind = time_format(value)
    if column is not None and column.data_type not in ("timestamp", "date"):
        kind = None
    if kind == "date":
        return "{data_type: date}"
    if kind in ("unix_seconds", "unix_milliseconds"):
        return f"{{data_type: timestamp, format: {kind}}}"
    if kind:
        zone = ", timezone: Europe/Berlin" if kind == "local" else ""
        return f"{{data_type: timestamp{zone}}}"
    kinds = [(bool, "bool"), (int, "bigint"), (Decimal, "double"), (str, "text")]
    return f"{{data_type: {next((n for t, n in kinds if isinstance(value, t)), 'json')}}}"
