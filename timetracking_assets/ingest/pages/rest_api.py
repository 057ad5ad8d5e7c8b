"""dlt's `rest_api` for the resources of an API: what to ask for, and whether dlt takes the file.

dlt does authentication, pagination and fan-out; this module only puts specifications into its
grammar, and says where in the file a refusal lies. What else must hold of a file is in
`spec/rules.py`; how many requests run at a time is decided in `fetch.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, cast

import dlt
import requests
from dlt.common.jsonpath import compile_path
from dlt.common.validation import validate_dict
from dlt.extract import DltResource
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.rest_api.config_setup import (
    build_resource_dependency_graph,
    create_auth,
    create_paginator,
    create_response_hooks,
)
from dlt.sources.rest_api.typing import RESTAPIConfig

from timetracking_assets.errors import SpecError
from timetracking_assets.spec.api import CONFIGURED, Api, Resource
from timetracking_assets.spec.variables import substitute
from timetracking_assets.spec.window import WindowSpec

if TYPE_CHECKING:
    pass


ROWS = "__rows"
"""Where dlt finds the page in a split answer: the `data_selector` that it is given."""

HAS_MORE = "__has_more"
"""Where dlt finds whether the page was full: the `has_more_path` where the page size is known."""

HEADERS = "headers"
"""Where a paginator finds the response's headers, by lower-case name."""

PARENT_ROW = "__row"
"""Field of a parent's row that holds its index, where a page must tell it."""

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


def validate(api: Api) -> None:
    """Let dlt judge what is in its grammar. Raises SpecError in the words of the file."""
    values = dict.fromkeys(api.variables, "1")
    client = substitute(api.client, values)
    client["base_url"] = "http://localhost"
    ids = dlt.resource([[dict.fromkeys(api.ids, "1")]], name=CONFIGURED, selected=False)
    configs: dict[str, dict[str, Any]] = {
        name: substitute(endpoint_resource(resource), values)
        for name, resource in api.resources.items()
    }
    if _plainly_right(client, [ids, *configs.values()]):
        return
    # nothing is asked for: without one, dlt makes a session that retries for each resource
    client.setdefault("session", requests.Session())
    if _refusal(client, [ids, *configs.values()]) is None:
        return
    # dlt's words for what is wrong don't always say where
    accepted: list[Any] = [ids]
    if problem := _refusal(client, accepted):
        raise SpecError(("client",), f"dlt refuses `client`: {problem}")
    parents = {
        name: {resource.parent.name} & configs.keys() if resource.parent else set()
        for name, resource in api.resources.items()
    }
    for name in TopologicalSorter(parents).static_order():
        if problem := _refusal(client, [*accepted, configs[name]]):
            where = ("resources", api.resources[name].position, "endpoint")
            raise SpecError(where, f"dlt refuses resource '{name}': {problem}")
        accepted.append(configs[name])


def _plainly_right(client: Mapping[str, Any], resources: list[Any]) -> bool:
    """Whether dlt takes each part, and there is nothing that only its whole could judge.

    It asks what `rest_api_resources` asks before it makes resources: a client and a configuration
    for each, which take most of its time and judge nothing.
    """
    try:
        config = {"client": dict(client), "resources": resources}
        validate_dict(RESTAPIConfig, config, path=".")
        create_auth(client.get("auth"))
        create_paginator(client.get("paginator"))
        graph, known, parents = build_resource_dependency_graph({}, resources)
        graph.prepare()
        return all(
            _plain_resource(resource, has_parent=parents[name] is not None)
            for name, resource in known.items()
            if not isinstance(resource, DltResource)
        )
    except Exception:  # dlt raises many kinds; which and where, its whole will tell
        return False


def _plain_resource(resource: Mapping[str, Any], *, has_parent: bool) -> bool:
    endpoint = resource["endpoint"]
    create_auth(endpoint.get("auth"))
    create_paginator(endpoint.get("paginator"))
    create_response_hooks(endpoint.get("response_actions"))
    # parameters that say what they are: bound to a parent, or to a cursor
    bound = any(isinstance(value, dict) for value in endpoint.get("params", {}).values())
    whole = bound or endpoint.get("incremental") or resource.get("processing_steps")
    return not whole and (has_parent or not resource.get("include_from_parent"))


def _refusal(client: Mapping[str, Any], resources: list[Any]) -> str | None:
    try:
        rest_api(client, resources)
    except Exception as error:  # dlt raises many kinds, ValueError to its own
        return " ".join(str(error).split())[:400]
    return None
