"""One request: a page of a resource as the API gives it, or why none came.

It goes the way of a load (dlt's authentication, parameters and fan-out), but the answer is kept as
it came, whatever its status, and no request is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import requests
from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException

from timetracking_assets.errors import ApiError, QuotaError, cause_of
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Resource

PAGE_SIZE = 10
"""Rows of a small page, where the file says which parameter that is."""


@dataclass(frozen=True)
class Sample:
    """An answer (or the `problem` in its place) and the page size that was requested."""

    status: int = 0
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    quota_used_up: bool = False
    requested_size: int | None = None


def take_sample(
    connection: Connection,
    resource: Resource,
    window: Window | None,
    parent_rows: Sequence[Mapping[str, Any]] | None,
    page: int = 0,
    page_size: int = PAGE_SIZE,
) -> Sample:
    """The answer for page number `page`, counted from 0, of `page_size` rows where the file says
    which parameter that is. Its text is not masked."""
    endpoint, size = _one_page(resource, page, page_size)
    kept: list[requests.Response] = []

    def keep(response: requests.Response, *_: Any, **__: Any) -> None:
        kept.append(response)
        raise IgnoreResponseException

    endpoint["response_actions"] = [keep]
    single = resource.model_copy(
        update={"endpoint": endpoint, "page_size": None, "repeated_page": "refuse"}
    )
    problem, quota_used_up = None, False
    try:
        with open_pages(
            connection, single, RequestStats(), window=window, parent_rows=parent_rows
        ) as pages:
            list(pages)
    except Exception as error:
        cause = cause_of(error, ApiError)
        problem, quota_used_up = " ".join(str(cause).split()), isinstance(cause, QuotaError)
    if kept:
        headers = {name.lower(): value for name, value in kept[0].headers.items()}
        return Sample(kept[0].status_code, kept[0].content, headers, requested_size=size)
    problem = connection.redactor(problem or "no request was sent")
    return Sample(problem=problem, quota_used_up=quota_used_up)


def loaded_page_size(resource: Resource) -> int:
    """The page size that loads request, or the sample's where the file says none."""
    paginator = resource.endpoint["paginator"]
    settings = paginator if isinstance(paginator, dict) else {}
    limit = settings.get("limit") if settings.get("type") == "offset" else None
    return int(limit or resource.page_size or PAGE_SIZE)


def _one_page(resource: Resource, page: int, page_size: int) -> tuple[dict[str, Any], int | None]:
    """The endpoint for one page, and the page size that is requested (None: the API's)."""
    endpoint = deepcopy(resource.endpoint)
    paginator = endpoint["paginator"]
    settings = paginator if isinstance(paginator, dict) else {"type": paginator}
    endpoint["paginator"] = "single_page"
    size = page_size if resource.page_size else None
    sized = _resized([endpoint["params"], endpoint.get("json")], resource.page_size, page_size)
    if settings["type"] == "page_number":
        number = page + int(settings.get("base_page", 0))
        _put(endpoint, settings.get("page_param"), settings.get("page_body_path"), number, "page")
        return endpoint, size if sized else None
    if settings["type"] == "offset":
        size = min(page_size, int(settings["limit"]))
        offset, limit = settings.get("offset_param"), settings.get("limit_param")
        _put(endpoint, offset, settings.get("offset_body_path"), page * size, "offset")
        _put(endpoint, limit, settings.get("limit_body_path"), size, "limit")
        return endpoint, size
    return endpoint, size if sized else None


def _resized(places: list[Any], page_size: int | None, size: int) -> bool:
    """Put `size` in the place of the page size, and return whether there is one."""
    resized = False
    for place in places:
        for name, value in place.items() if isinstance(place, dict) and page_size else ():
            if value == page_size and type(value) is int:
                place[name] = size
                resized = True
            elif isinstance(value, dict):
                resized |= _resized([value], page_size, size)
    return resized


def _put(
    endpoint: dict[str, Any], param: str | None, body_path: str | None, value: int, usual: str
) -> None:
    if not body_path:
        endpoint["params"][param or usual] = value
        return
    *outer, last = body_path.split(".")
    level = endpoint.setdefault("json", {})
    for name in outer:
        level = level.setdefault(name, {})
    level[last] = value
