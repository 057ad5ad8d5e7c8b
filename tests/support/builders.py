"""A resource, a page, an API: complete by default, so that a test gives only what it is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.spec.model import ColumnSpec
from timetracking_assets.spec.resolve import resolve
from timetracking_assets.spec.window import PartitionsSpec, WindowSpec

MakeResource = Callable[..., Resource]
MakePage = Callable[..., Page]
Resolve = Callable[..., Api]


def build_resource(**given: Any) -> Resource:
    columns = {
        name: ColumnSpec.model_validate(spec if isinstance(spec, dict) else {"data_type": spec})
        for name, spec in given.pop("columns", {}).items()
    }
    window = given.pop("window", None)
    partitioned = PartitionsSpec(type="daily", start="2026-01-01") if window else None
    values: dict[str, Any] = {
        "api": "hours",
        "name": "entries",
        "description": None,
        "endpoint": {"path": "entries", "params": {}, "paginator": {"type": "page_number"}},
        "data_selector": "data",
        "page_size": None,
        "repeated_page": "refuse",
        "success_codes": (),
        "null_is_empty": False,
        "max_pages": 100,
        "primary_key": ("id",),
        "sync_mode": "snapshot",
        "partitions": partitioned,
        "window": WindowSpec(field=window, start_param="from") if window else None,
        "columns": columns,
        "parent": None,
        "include_from_parent": (),
    }
    return Resource(**{**values, **given})


def build_page(*rows: Any, number: int = 1, from_parent: dict[str, Any] | None = None) -> Page:
    """A page of rows; a row is a dict, or JSON text where digits matter."""
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    raw = [msgspec.Raw(text.encode()) for text in texts]
    return Page(number, "https://api.example/entries", raw, from_parent or {})


def build_api(*resources: dict[str, Any], **given: Any) -> Api:
    """Resolve a specification whose defaults are complete: what is wrong is what a test gives."""
    spec: dict[str, Any] = {
        "name": "hours",
        "client": {"base_url": "${HOURS_BASE_URL}"},
        "resource_defaults": {
            "primary_key": "id",
            "endpoint": {"data_selector": "data", "paginator": "single_page"},
        },
        "resources": list(resources),
    }
    return resolve({**spec, **given})


def our_error(action: Callable[[], Any]) -> IngestError:
    """The error of ours that `action` raises, inside whatever dlt wraps around it."""
    cause: BaseException | None = None
    try:
        action()
    except Exception as error:
        cause = error
    while cause is not None and not isinstance(cause, IngestError):
        cause = cause.__cause__ or cause.__context__
    assert cause is not None, "nothing of ours was raised"
    return cause
