"""dlt's `rest_api` for the resources of an API: what to ask for, and with which credentials.

dlt does authentication, pagination and fan-out; this module only puts specifications into its
grammar. Whether dlt takes them is asked in `validation.py`; how many requests run at a time is
decided in `fetch.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast

import requests
from dlt.common.jsonpath import compile_path
from dlt.extract import DltResource
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.rest_api.typing import RESTAPIConfig

from timetracking_assets.ingest.pages import HAS_MORE, ROWS
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.window import WindowSpec

# compiled once: dlt would compile the text anew for each page
_ROWS = compile_path(ROWS)


def endpoint_resource(resource: Resource) -> dict[str, Any]:
    """The resource in dlt's grammar, its pages opaque and its last page known where it can be."""
    endpoint = {**deepcopy(resource.endpoint), "data_selector": _ROWS}
    paginator = endpoint["paginator"]
    settings = paginator if isinstance(paginator, dict) else {"type": paginator}
    if resource.page_size is not None and settings.get("type") in ("page_number", "offset"):
        endpoint["paginator"] = {"has_more_path": HAS_MORE, **settings}
    if empty := [code for code in resource.success_codes if code >= requests.codes.bad_request]:
        ignored = [{"status_code": code, "action": "ignore"} for code in empty]
        endpoint["response_actions"] = [*endpoint.get("response_actions", []), *ignored]
    config: dict[str, Any] = {"name": resource.name, "endpoint": endpoint}
    if resource.parent:
        config["include_from_parent"] = list(resource.include_from_parent)
    return config


def ask_for(window: WindowSpec | None, endpoint: dict[str, Any], params: Mapping[str, Any]) -> None:
    """Put a window's parameters where the API wants them."""
    if window is None or window.location == "params":
        endpoint["params"] |= params
        return
    for dotted, value in params.items():
        *outer, last = dotted.split(".")
        body = endpoint["json"]
        for name in outer:
            body = body.setdefault(name, {})
        body[last] = value


def rest_api(client: Mapping[str, Any], resources: list[Any]) -> dict[str, DltResource]:
    """dlt's resources of the given configurations, by name."""
    config = cast(RESTAPIConfig, {"client": client, "resources": resources})
    return {resource.name: resource for resource in rest_api_resources(config)}


def column_hints(resource: Resource) -> dict[str, Any]:
    """The declared columns as dlt's hints. Nullability is not among them: see `columnar.py`."""
    hints: dict[str, Any] = {
        name: {"data_type": spec.data_type, "description": spec.description}
        if spec.description
        else {"data_type": spec.data_type}
        for name, spec in resource.columns.items()
    }
    if resource.deletion_mark:
        hints.setdefault(resource.deletion_mark, {"data_type": "bool"})["hard_delete"] = True
    return hints
