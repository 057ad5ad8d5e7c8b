"""Whether dlt's `rest_api` accepts what a file says in its grammar, and where a refusal lies.

Nothing is requested through it: that is done in `fetch.py`. What else must hold of a file is in
`spec/rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from graphlib import TopologicalSorter
from typing import Any, cast

import dlt
import requests
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


def endpoint_resource(resource: Resource) -> dict[str, Any]:
    """The resource in dlt's grammar."""
    config: dict[str, Any] = {"name": resource.name, "endpoint": deepcopy(resource.endpoint)}
    if resource.parent:
        config["include_from_parent"] = list(resource.include_from_parent)
    return config


def rest_api(client: Mapping[str, Any], resources: list[Any]) -> dict[str, DltResource]:
    """dlt's resources of the given configurations, by name."""
    config = cast(RESTAPIConfig, {"client": client, "resources": resources})
    return {resource.name: resource for resource in rest_api_resources(config)}


def validate(api: Api) -> None:
    """Let dlt judge what is in its grammar. Raises SpecError at the file's own keys."""
    _refuse_cursors(api)
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
    # no request is sent: without one, dlt makes a session that retries for each resource
    client.setdefault("session", requests.Session())
    if _refusal(client, [ids, *configs.values()]) is None:
        return
    # dlt's message doesn't always say where the mistake is
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


def _refuse_cursors(api: Api) -> None:
    """Raise SpecError for what dlt's grammar has, but a load by windows can't use."""
    for resource in api.resources.values():
        endpoint = resource.endpoint
        kinds = [v.get("type") for v in endpoint["params"].values() if isinstance(v, dict)]
        if endpoint.get("incremental") or "incremental" in kinds:
            raise SpecError(
                ("resources", resource.position, "endpoint"),
                f"resource '{resource.name}' has a cursor of dlt (`incremental`): say which part "
                "of it a load requests with `window` and `partitions` instead",
            )


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
    # parameters that say what they are: bound to a parent
    bound = any(isinstance(value, dict) for value in endpoint.get("params", {}).values())
    return not bound and (has_parent or not resource.get("include_from_parent"))


def _refusal(client: Mapping[str, Any], resources: list[Any]) -> str | None:
    try:
        rest_api(client, resources)
    except Exception as error:  # dlt raises many kinds, ValueError to its own
        return " ".join(str(error).split())[:400]
    return None
