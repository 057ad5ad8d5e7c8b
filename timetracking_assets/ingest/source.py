"""dlt's `rest_api` for the resources of an API: what to ask for, and with which credentials.

dlt does authentication, pagination and fan-out; this module only puts specifications into its
grammar. Whether dlt takes them is asked in `validation.py`; how many requests run at a time is
decided in `fetch.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import requests
from dlt.common.jsonpath import compile_path
from dlt.extract import DltResource
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.rest_api.typing import RESTAPIConfig

from timetracking_assets.errors import SettingsError, SpecError
from timetracking_assets.ingest.pages import HAS_MORE, ROWS
from timetracking_assets.redaction import Redactor, mask_logs
from timetracking_assets.spec.api import Api, Parent, Resource
from timetracking_assets.spec.model import RetrySpec
from timetracking_assets.spec.variables import (
    credential_variables,
    require,
    substitute,
    variable_names,
)
from timetracking_assets.spec.window import WindowSpec

ParentRows = Sequence[Mapping[str, Any]]

# compiled once: dlt would compile the text anew for each page
_ROWS = compile_path(ROWS)


class Connection:
    """An API's specification with the values of its variables: what it takes to ask for something.

    Raises SettingsError for variables that are unset or blank.
    """

    def __init__(self, api: Api, values: Mapping[str, str]) -> None:
        require(api.variables, values, api.name)
        self.api = api
        self._values = {name: values[name].strip() for name in api.variables}
        self.client: dict[str, Any] = substitute(api.client, self._values)
        secrets = set(api.secret_variables)
        auth = self.client.get("auth")
        plain = [v for v in auth.values() if isinstance(v, str)] if isinstance(auth, dict) else []
        url = urlsplit(self.client["base_url"])
        in_url = [unquote(part) for part in (url.username, url.password) if part]
        self.redactor = Redactor(
            [*(self._values[name] for name in secrets), *in_url],
            plain,
            [self._values[name] for name in credential_variables(api.client, api.endpoints)],
        )
        mask_logs(self.redactor)

    def with_retry(self, retry: RetrySpec) -> Connection:
        """The same, but for how failed requests are repeated."""
        return Connection(replace(self.api, retry=retry), self._values)

    def bound(self, resource: Resource) -> Resource:
        """`resource` with the values of the variables in its endpoint."""
        return replace(resource, endpoint=substitute(resource.endpoint, self._values))

    def configured_ids(self, parent: Parent, resource: Resource) -> ParentRows:
        """The ids of `ids` that a fan-out over `configured` uses, one row each."""
        wanted = [name for name in parent.fields if name in self.api.ids]
        if len(set(wanted)) > 1:
            raise SpecError((), f"{resource.label}: a path takes one configured id, not {wanted}")
        [name] = set(wanted)
        values = re.split(r"[,;\s]+", substitute(self.api.ids[name], self._values))
        ids = list(dict.fromkeys(v for v in values if v))
        column = resource.columns.get(f"_{parent.name}_{name}")
        if column is None or column.data_type != "bigint":
            return [{name: value} for value in ids]
        wrong = [value for value in ids if not value.isdecimal()]
        if wrong:
            [variable] = variable_names(self.api.ids[name])
            raise SettingsError(f"{resource.label}: {variable} holds {wrong[0]!r}, not a number")
        return [{name: int(value)} for value in ids]


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
