"""The examination of one API: one or two requests to each resource, parents before their children.

Nothing is loaded, and no text leaves here unmasked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from graphlib import TopologicalSorter
from typing import Any
from urllib.parse import urlsplit

from timetracking_assets.doctor.diagnosis import (
    decoded,
    find_rows,
    judge_columns,
    judge_key,
    judge_status,
    judge_window_field,
)
from timetracking_assets.doctor.findings import Examination, Finding
from timetracking_assets.doctor.paging import (
    judge_page_size,
    judge_pages,
    judge_second_page,
    judge_total,
)
from timetracking_assets.doctor.sample import PAGE_SIZE, Sample, loaded_page_size, take_sample
from timetracking_assets.doctor.shapes import MISSING, at, limit_headers
from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import CONFIGURED, Api, Resource, column_name
from timetracking_assets.spec.model import RetrySpec

_DAYS = 31
_LOCAL = ("localhost", "127.0.0.1", "::1")
_ONCE = RetrySpec(status_codes=[], max_retries=0, timeout=30)


def examine(api: Api, values: Mapping[str, str], until: date) -> Examination:
    """Ask each resource of `api` for a small page, of the 31 days up to `until` if it has windows.

    `values` are the environment's. Where variables are missing, that is the finding, and no request
    is sent.
    """
    examination = Examination(api.name)
    try:
        connection = Connection(replace(api, retry=_ONCE), values)
    except IngestError as error:
        examination.add("", Finding("error", "settings", str(error)))
        return examination
    examination.mask = connection.redactor
    samples: dict[str, Sample] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    parents = {
        name: {r.parent.name} & api.resources.keys() if r.parent else set()
        for name, r in api.resources.items()
    }
    for name in TopologicalSorter(parents).static_order():
        _examine_resource(examination, connection, api.resources[name], until, rows, samples)
    _examine_connection(examination, connection, list(samples.values()))
    return examination


def _examine_resource(
    examination: Examination,
    connection: Connection,
    resource: Resource,
    until: date,
    rows: dict[str, list[dict[str, Any]]],
    samples: dict[str, Sample],
) -> None:
    name = resource.name
    try:
        parent_rows = _parent_rows(connection, resource, rows)
    except IngestError as error:
        examination.add(name, Finding("error", "settings", str(error)))
        return
    if parent_rows == []:
        parent = resource.parent.name if resource.parent else ""
        message = f"not requested: no row of `{parent}` is known"
        examination.add(name, Finding("advice", "permission", message))
        return
    window = _window(resource, until)
    sample = take_sample(connection, resource, window, parent_rows)
    examination.requests += 1
    samples[name] = sample
    message = connection.redactor(" ".join(sample.content.decode(errors="replace").split()))[:200]
    status = judge_status(resource, sample, message)
    examination.add(name, status)
    if status.level == "error" and status.topic != "status":
        return
    if sample.status >= 300 or not sample.content:
        return
    body = decoded(sample.content)
    place, first, finding = find_rows(resource, body)
    rows[name] = first
    examination.add(name, finding)
    if body is MISSING:
        return  # a page for people says nothing about the file
    examination.add(name, *judge_pages(resource, sample, body, place, first))
    examination.add(name, *judge_total(resource, sample, body))
    if not first:
        examination.add(name, Finding("advice", "rows", "none came: their shape is not judged"))
        return
    examination.add(name, *judge_key(resource, first), *judge_columns(resource, first))
    examination.add(name, *judge_window_field(resource, first, window))
    paginator = resource.endpoint["paginator"]
    kind = paginator.get("type") if isinstance(paginator, dict) else paginator
    if kind in ("page_number", "offset"):
        # one page as loads request it, where the first one does not already hold the whole list
        full = sample.requested_size is not None and len(first) == sample.requested_size
        size = loaded_page_size(resource) if full else PAGE_SIZE
        again = take_sample(connection, resource, window, parent_rows, page=1, page_size=size)
        examination.requests += 1
        if again.status == sample.status:
            _, second, _ = find_rows(
                resource.model_copy(update={"data_selector": place}), decoded(again.content)
            )
            examination.add(name, *judge_second_page(resource, sample, first, second))
            if second[: len(first)] != first:
                answer = decoded(again.content)
                examination.add(name, *judge_page_size(resource, again, answer, place, second))


def _parent_rows(
    connection: Connection, resource: Resource, rows: Mapping[str, list[dict[str, Any]]]
) -> list[Mapping[str, Any]] | None:
    """One parent's ids; an empty list if none is known."""
    parent = resource.parent
    if parent is None:
        return None
    if parent.name == CONFIGURED:
        return list(connection.configured_ids(parent, resource))[:1]
    for row in rows.get(parent.name, []):
        # a parent's own parent's id is a column of its table, and here one of the configured
        known = {**_configured(connection, parent.name), **row}
        ids = {name: known.get(column_name(name)) for name in parent.fields}
        if None not in ids.values():
            return [ids]
    return []


def _configured(connection: Connection, name: str) -> dict[str, Any]:
    parent_resource = connection.api.resources[name]
    grandparent = parent_resource.parent
    if grandparent is None or grandparent.name != CONFIGURED:
        return {}
    [row, *_] = connection.configured_ids(grandparent, parent_resource)
    return {f"_{CONFIGURED}_{key}": value for key, value in row.items()}


def _window(resource: Resource, until: date) -> Window | None:
    if resource.window is None or resource.partitions is None:
        return None
    zone = resource.partitions.timezone
    if resource.window.year_param:
        # days that are in one year, whichever zone's years the API means: one request
        return Window.of_days(date(until.year, 7, 1), date(until.year, 7, 2), zone)
    days = min(_DAYS, resource.window.max_days or _DAYS)
    return Window.of_days(until - timedelta(days=days), until, zone)


def _examine_connection(
    examination: Examination, connection: Connection, samples: Sequence[Sample]
) -> None:
    base_url = connection.client["base_url"]
    parts = urlsplit(base_url)
    answered = [sample for sample in samples if sample.problem is None]
    if not answered:
        reached = any(sample.quota_used_up for sample in samples)
        text = base_url if reached else f"nothing answers at {base_url}"
        examination.add("", Finding("ok" if reached else "error", "reachable", text))
        return
    examination.add("", Finding("ok", "reachable", base_url))
    if parts.scheme == "https":
        examination.add("", Finding("ok", "TLS", "the certificate is accepted"))
    elif parts.hostname not in _LOCAL:
        examination.add("", Finding("error", "TLS", "http: credentials travel readable"))
    refused = [sample for sample in answered if sample.status == 401]
    accepted = [sample for sample in answered if sample.status < 300]
    if accepted:
        examination.add("", Finding("ok", "credentials", _whoami(examination, connection)))
    elif refused:
        examination.add(
            "",
            Finding(
                "error",
                "credentials",
                "not accepted by any resource: check the variables, and the kind of `auth`",
                'client:\n  auth: {type: bearer, token: "${MY_TOKEN}"}   # or http_basic, api_key, '
                "oauth2_client_credentials",
            ),
        )
    limits = {
        name: value for sample in answered for name, value in limit_headers(sample.headers).items()
    }
    if limits:
        stated = ", ".join(f"{name}: {value}" for name, value in limits.items())
        examination.add("", Finding("ok", "rate limit", stated))


def _whoami(examination: Examination, connection: Connection) -> str:
    whoami = connection.api.whoami
    if whoami is None:
        return "accepted; `whoami: {path: ..., field: ...}` would name their owner"
    some = next(iter(connection.api.resources.values()))
    endpoint = {"path": whoami.path, "params": {}, "paginator": "single_page"}
    request = some.model_copy(
        update={"name": "whoami", "endpoint": endpoint, "parent": None, "window": None}
    )
    sample = take_sample(connection, request, None, None)
    examination.requests += 1
    value = at(decoded(sample.content), whoami.field) if sample.content else MISSING
    if value is MISSING:
        return f"accepted; {whoami.path} has no `{whoami.field}`"
    return f"accepted, as {value}"
