"""dlt's `rest_api` for one resource: its configuration, its parent's ids, its pages.

dlt does authentication, pagination and fan-out; this module only says what to ask for. The pages
are opaque here (see `pages.py`); what becomes of them is in `load.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any, cast

import dlt
from dlt.extract import DltResource
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.rest_api.typing import RESTAPIConfig

from timetracking_assets.ingest.api import CONFIGURED, WINDOWS, Api, Parent, Resource
from timetracking_assets.ingest.errors import SettingsError, SpecError
from timetracking_assets.ingest.pages import HAS_MORE, PARENT_ROW, ROWS, Page, page_splitter
from timetracking_assets.ingest.redaction import Redactor
from timetracking_assets.ingest.session import RequestStats, open_session
from timetracking_assets.ingest.spec import RetrySpec
from timetracking_assets.ingest.totals import StatedTotals
from timetracking_assets.ingest.variables import require, substitute, variable_names
from timetracking_assets.ingest.windows import Window, request_params

ParentRows = Sequence[Mapping[str, Any]]


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
        self.redactor = Redactor([self._values[name] for name in secrets], plain)

    def with_retry(self, retry: RetrySpec) -> Connection:
        """The same, but for how failed requests are repeated."""
        return Connection(replace(self.api, retry=retry), self._values)

    def configured_ids(self, parent: Parent, resource: Resource) -> ParentRows:
        """The ids of `ids` that a fan-out over `configured` uses, one row each."""
        wanted = [name for name in parent.fields if name in self.api.ids]
        if len(set(wanted)) > 1:
            raise SpecError((), f"{resource.label}: a path takes one configured id, not {wanted}")
        [name] = set(wanted)
        values = [v.strip() for v in substitute(self.api.ids[name], self._values).split(",")]
        ids = list(dict.fromkeys(v for v in values if v))
        column = resource.columns.get(f"_{parent.name}_{name}")
        if column is None or column.data_type != "bigint":
            return [{name: value} for value in ids]
        wrong = [value for value in ids if not value.isdecimal()]
        if wrong:
            [variable] = variable_names(self.api.ids[name])
            raise SettingsError(f"{resource.label}: {variable} holds {wrong[0]!r}, not a number")
        return [{name: int(value)} for value in ids]


@contextmanager
def open_pages(
    connection: Connection,
    resource: Resource,
    stats: RequestStats,
    *,
    window: Window | None = None,
    parent_rows: ParentRows | None = None,
    totals: StatedTotals | None = None,
) -> Iterator[Iterator[Page]]:
    """The pages of `resource`, lazily, for `window` and each of its `parent_rows`.

    `totals` learns how many rows the API says there are.
    """
    base_url = connection.client["base_url"]
    session = open_session(
        resource,
        base_url,
        connection.api.retry,
        connection.redactor,
        stats,
        page_splitter(resource, totals),
        setting=", ".join(variable_names(connection.api.client["base_url"])),
    )
    client = {**connection.client, "session": session}
    try:
        yield iter(_rest_api_resource(client, resource, window, parent_rows))
    finally:
        session.close()


def _rest_api_resource(
    client: Mapping[str, Any],
    resource: Resource,
    window: Window | None,
    parent_rows: ParentRows | None,
) -> DltResource:
    series = request_params(resource.window, window) if resource.window and window else [{}]
    parent = resource.parent
    if parent is None and len(series) > 1:
        parent, parent_rows = Parent(WINDOWS, ()), [{}]
    config = _endpoint_resource(resource)
    resources: list[Any] = [config]
    if parent is None:
        config["endpoint"]["params"] |= series[0]
    else:
        # dlt takes one parent for each child: the windows travel on the parent's rows
        names = {param: f"window_{index}" for index, param in enumerate(series[0])}
        config["endpoint"]["params"] |= {
            param: f"{{resources.{parent.name}.{name}}}" for param, name in names.items()
        }
        rows = [
            {**row, **{names[param]: value for param, value in params.items()}}
            for params in series
            for row in parent_rows or []
        ]
        if resource.max_rows_per_answer:
            rows = [{**row, PARENT_ROW: index} for index, row in enumerate(rows)]
            config["include_from_parent"] = [*config.get("include_from_parent", []), PARENT_ROW]
        resources.append(dlt.resource([rows], name=parent.name, selected=False))
    return _rest_api(client, resources)[resource.name]


def _endpoint_resource(resource: Resource) -> dict[str, Any]:
    endpoint = {**deepcopy(resource.endpoint), "data_selector": ROWS}
    paginator = endpoint["paginator"]
    if (
        resource.page_size is not None
        and isinstance(paginator, dict)
        and paginator.get("type") in ("page_number", "offset")
    ):
        endpoint["paginator"] = {"has_more_path": HAS_MORE, **paginator}
    config: dict[str, Any] = {"name": resource.name, "endpoint": endpoint}
    if resource.parent:
        config["include_from_parent"] = list(resource.include_from_parent)
    return config


def _rest_api(client: Mapping[str, Any], resources: list[Any]) -> dict[str, DltResource]:
    config = cast(RESTAPIConfig, {"client": client, "resources": resources})
    return {resource.name: resource for resource in rest_api_resources(config)}


def validate(api: Api) -> None:
    """Let dlt judge what is in its grammar. Raises SpecError in the words of the file."""
    client = substitute(api.client, dict.fromkeys(api.variables, "1"))
    client["base_url"] = "http://localhost"
    ids = dlt.resource([[dict.fromkeys(api.ids, "1")]], name=CONFIGURED, selected=False)
    accepted: list[Any] = [ids]
    if problem := _refusal(client, accepted):
        raise SpecError(("client",), f"dlt refuses `client`: {problem}")
    configs = {name: _endpoint_resource(resource) for name, resource in api.resources.items()}
    if _refusal(client, [ids, *configs.values()]) is None:
        return
    parents = {
        name: {resource.parent.name} & configs.keys() if resource.parent else set()
        for name, resource in api.resources.items()
    }
    for name in TopologicalSorter(parents).static_order():
        if problem := _refusal(client, [*accepted, configs[name]]):
            where = ("resources", list(configs).index(name), "endpoint")
            raise SpecError(where, f"dlt refuses resource '{name}': {problem}")
        accepted.append(configs[name])


def _refusal(client: Mapping[str, Any], resources: list[Any]) -> str | None:
    try:
        _rest_api(client, resources)
    except Exception as error:  # dlt raises many kinds, ValueError to its own
        return " ".join(str(error).split())[:400]
    return None


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
