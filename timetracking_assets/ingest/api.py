"""A specification made whole: defaults merged, parents found, contradictions refused.

`resolve` turns an `ApiSpec` (shapes) into an `Api` (meaning). What only dlt can judge, it judges in
`source.py`; nothing here talks to a network, a warehouse or Dagster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from dlt.common.normalizers.naming.snake_case import NamingConvention

from timetracking_assets.ingest.errors import SpecError, SpecPath
from timetracking_assets.ingest.spec import (
    ApiSpec,
    ColumnSpec,
    PartitionsSpec,
    ResourceSpec,
    RetrySpec,
    SyncMode,
    WindowSpec,
)
from timetracking_assets.ingest.variables import VARIABLE, variable_names

CONFIGURED = "configured"
"""Name under which ids from configuration are used in a path: `{resources.configured.<id>}`."""

_EXPRESSION = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")
_SELECTOR = re.compile(r"^(\$|[A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*)$")
_SECRET_KEYS = {"api_key", "token", "password", "username", "client_secret", "access_token"}
_TIME_FORMATS = ("date", "unix_seconds", "unix_milliseconds")
_naming = NamingConvention()


def column_name(field_name: str) -> str:
    """The column that a field (or `a__b` path of fields) of the API has in the warehouse."""
    return _naming.normalize_path(field_name)


@dataclass(frozen=True)
class Parent:
    """Where a fan-out takes its ids: a resource (or `configured`), and the fields that it uses."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """One endpoint with everything said: nothing is left to defaults from here on."""

    api: str
    name: str
    description: str | None
    endpoint: dict[str, Any]
    data_selector: str
    page_size: int | None
    primary_key: tuple[str, ...]
    sync_mode: SyncMode
    partitions: PartitionsSpec | None
    window: WindowSpec | None
    columns: dict[str, ColumnSpec]
    parent: Parent | None
    include_from_parent: tuple[str, ...]
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The resource as messages name it: `api/resource`, like its asset."""
        return f"{self.api}/{self.name}"


@dataclass(frozen=True)
class Api:
    """One API, ready to be turned into dlt sources and assets."""

    name: str
    description: str | None
    client: dict[str, Any]
    ids: dict[str, str]
    retry: RetrySpec
    resources: dict[str, Resource]

    @property
    def variables(self) -> list[str]:
        """All environment variables that the API needs, in the order of the file."""
        return variable_names([self.client, self.ids])

    @property
    def secret_variables(self) -> list[str]:
        """The variables whose values must never be shown: those in `auth` and in headers."""
        return variable_names([self.client.get("auth"), self.client.get("headers")])


def resolve(spec: ApiSpec) -> Api:
    """Merge defaults, find parents, and refuse what can't be run.

    Raises SpecError with the path of the offending key.
    """
    _check_client(spec)
    names = [resource.name for resource in spec.resources]
    resources: dict[str, Resource] = {}
    for index, item in enumerate(spec.resources):
        path = ("resources", index)
        if item.name in resources:
            raise SpecError((*path, "name"), f"resource '{item.name}' is already defined")
        if item.name == CONFIGURED:
            raise SpecError((*path, "name"), f"'{CONFIGURED}' is reserved for ids from `ids`")
        resources[item.name] = _resolve_resource(spec, item, path, names)
    _check_parents(spec, resources)
    return Api(spec.name, spec.description, spec.client, spec.ids, spec.retry, resources)


def _check_client(spec: ApiSpec) -> None:
    if not spec.client.get("base_url"):
        raise SpecError(
            ("client",), "`base_url` is missing, such as `base_url: ${MY_API_BASE_URL}`"
        )
    if "paginator" in spec.client or "session" in spec.client:
        raise SpecError(
            ("client",), "`paginator` belongs into each `endpoint` (or `resource_defaults`)"
        )
    auth = spec.client.get("auth")
    if isinstance(auth, dict):
        secrets = {key: auth[key] for key in _SECRET_KEYS & auth.keys()}
        if secrets and not variable_names(secrets):
            raise SpecError(
                ("client", "auth"),
                f"a secret must not stand in this file: write `{min(secrets)}: ${{MY_VARIABLE}}` "
                "and set that environment variable",
            )
    for name, value in spec.ids.items():
        if not VARIABLE.fullmatch(value):
            raise SpecError(("ids", name), "expected `${VARIABLE}`: a comma-separated list of ids")


def _resolve_resource(
    spec: ApiSpec, item: ResourceSpec, path: SpecPath, names: list[str]
) -> Resource:
    defaults = spec.resource_defaults
    endpoint = {**defaults.endpoint, **item.endpoint}
    params = {**(defaults.endpoint.get("params") or {}), **(item.endpoint.get("params") or {})}
    endpoint["params"] = {key: value for key, value in params.items() if value is not None}
    if not endpoint.get("path"):
        raise SpecError((*path, "endpoint"), f"resource '{item.name}' has no `path`")
    resource = Resource(
        api=spec.name,
        name=item.name,
        description=item.description,
        data_selector=_data_selector(item, endpoint, path),
        page_size=item.page_size if "page_size" in item.model_fields_set else defaults.page_size,
        primary_key=_primary_key(spec, item, path),
        sync_mode=item.sync_mode or defaults.sync_mode,
        partitions=item.partitions,
        window=item.window,
        columns={**defaults.columns, **item.columns},
        parent=_parent(spec, item, endpoint, path, names),
        include_from_parent=tuple(item.include_from_parent),
        owners=tuple(defaults.owners if item.owners is None else item.owners),
        tags={**defaults.tags, **item.tags},
        endpoint=endpoint,
    )
    _check_columns(resource, path)
    _check_window(resource, path)
    return resource


def _data_selector(item: ResourceSpec, endpoint: dict[str, Any], path: SpecPath) -> str:
    if endpoint.get("paginator") in (None, "auto"):
        raise SpecError(
            (*path, "endpoint"),
            f"resource '{item.name}' has no `paginator`; one answer without pages is `single_page`",
        )
    selector = endpoint.get("data_selector")
    if not isinstance(selector, str) or not _SELECTOR.match(selector):
        raise SpecError(
            (*path, "endpoint", "data_selector"),
            f"resource '{item.name}' needs a `data_selector`: the dotted path of the rows in the "
            "answer, such as `data` or `result.items`; `$` is the whole answer",
        )
    return selector


def _primary_key(spec: ApiSpec, item: ResourceSpec, path: SpecPath) -> tuple[str, ...]:
    keys = item.primary_key or spec.resource_defaults.primary_key
    if not keys:
        raise SpecError(
            path,
            f"resource '{item.name}' does not say its `primary_key`, such as `primary_key: id`",
        )
    return (keys,) if isinstance(keys, str) else tuple(keys)


def _parent(
    spec: ApiSpec, item: ResourceSpec, endpoint: dict[str, Any], path: SpecPath, names: list[str]
) -> Parent | None:
    fields: dict[str, list[str]] = {}
    where = (*path, "endpoint", "path")
    for expression in _expressions(
        [endpoint["path"], endpoint["params"], endpoint.get("json"), endpoint.get("headers")]
    ):
        prefix, _, rest = expression.partition(".")
        parent, _, parent_field = rest.partition(".")
        if prefix != "resources" or not parent_field:
            raise SpecError(
                where,
                f"'{{{expression}}}' is bound to nothing; write `{{resources.<parent>.<field>}}`, "
                f"or `{{resources.{CONFIGURED}.<id>}}` for ids from `ids`",
            )
        if parent == CONFIGURED and parent_field not in spec.ids:
            raise SpecError(where, f"`ids` has no '{parent_field}'; it has {sorted(spec.ids)}")
        if parent != CONFIGURED and parent not in names:
            raise SpecError(where, f"unknown parent '{parent}'; the resources are {sorted(names)}")
        fields.setdefault(parent, []).append(parent_field)
    if len(fields) > 1:
        raise SpecError(
            where,
            f"resource '{item.name}' has {len(fields)} parents ({', '.join(fields)}); dlt takes "
            "one: let the parent carry the other's id with `include_from_parent`",
        )
    if not fields and item.include_from_parent:
        raise SpecError((*path, "include_from_parent"), f"resource '{item.name}' has no parent")
    if not fields:
        return None
    [(name, used)] = fields.items()
    if name == CONFIGURED and len({*used, *item.include_from_parent}) > 1:
        raise SpecError(
            where,
            f"resource '{item.name}' takes one id from `ids`, for its path and for "
            f"`include_from_parent`, not {sorted({*used, *item.include_from_parent})}",
        )
    return Parent(name, tuple(dict.fromkeys([*used, *item.include_from_parent])))


def _expressions(value: Any) -> list[str]:
    if isinstance(value, str):
        return _EXPRESSION.findall(re.sub(r"\$\{[^}]*\}", "", value))
    if isinstance(value, dict):
        return [name for item in value.values() for name in _expressions(item)]
    if isinstance(value, list):
        return [name for item in value for name in _expressions(item)]
    return []


def _check_columns(resource: Resource, path: SpecPath) -> None:
    names = {"columns": list(resource.columns), "primary_key": list(resource.primary_key)}
    if resource.window:
        names["window"] = [resource.window.field]
    for key, columns in names.items():
        for name in columns:
            if column_name(name) != name:
                raise SpecError(
                    (*path, key), f"'{name}' is called '{column_name(name)}' in the warehouse"
                )
    for name, column in resource.columns.items():
        _check_timezone(column.timezone, (*path, "columns", name, "timezone"))


def _check_window(resource: Resource, path: SpecPath) -> None:
    window, partitions = resource.window, resource.partitions
    if resource.sync_mode == "snapshot":
        if window or partitions:
            raise SpecError(
                path,
                f"resource '{resource.name}' is a snapshot (the whole list): it takes no `window` "
                "and no `partitions`; for a part say `sync_mode: window` or `changes`",
            )
        return
    if not window or not partitions:
        missing = "window" if not window else "partitions"
        raise SpecError(path, f"`sync_mode: {resource.sync_mode}` needs `{missing}`")
    if not (window.start_param or window.year_param) or (window.start_param and window.year_param):
        raise SpecError((*path, "window"), "needs either `start_param` or `year_param`")
    if window.end_param and not window.start_param:
        raise SpecError((*path, "window", "end_param"), "needs `start_param`")
    if window.format not in _TIME_FORMATS and "%" not in window.format:
        raise SpecError(
            (*path, "window", "format"),
            f"'{window.format}' is none of {', '.join(_TIME_FORMATS)}, nor a strftime pattern",
        )
    if window.year_param and partitions.type != "yearly":
        raise SpecError((*path, "window", "year_param"), "needs `partitions` of type yearly")
    column = resource.columns.get(window.field)
    if column is None or column.data_type not in ("timestamp", "date"):
        raise SpecError(
            (*path, "window", "field"),
            f"'{window.field}' must be declared in `columns` with data_type timestamp or date: "
            "instants are compared, not text",
        )
    _check_timezone(partitions.timezone, (*path, "partitions", "timezone"))
    start_of(partitions, (*path, "partitions", "start"))


def _check_timezone(name: str, path: SpecPath) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        valid = False
    else:
        valid = True
    if not valid:
        raise SpecError(path, f"'{name}' is not an IANA time zone such as Europe/Berlin or UTC")


def start_of(partitions: PartitionsSpec, path: SpecPath = ("partitions", "start")) -> date:
    """The first day of the first partition. Raises SpecError for a text that is no day or year."""
    text = partitions.start.strip()
    try:
        start = date(int(text), 1, 1) if re.fullmatch(r"\d{4}", text) else date.fromisoformat(text)
    except ValueError:
        start = None
    if start is None or (partitions.type == "daily" and re.fullmatch(r"\d{4}", text)):
        wanted = "a day, `YYYY-MM-DD`" if partitions.type == "daily" else "a year, `YYYY`"
        raise SpecError(path, f"'{partitions.start}' is not {wanted}")
    return start.replace(month=1, day=1) if partitions.type == "yearly" else start


def _check_parents(spec: ApiSpec, resources: dict[str, Resource]) -> None:
    for index, item in enumerate(spec.resources):
        where = ("resources", index, "endpoint", "path")
        seen = [item.name]
        parent = resources[item.name].parent
        while parent and parent.name != CONFIGURED:
            if parent.name in seen:
                raise SpecError(
                    where, f"parents go in a circle: {' -> '.join([*seen, parent.name])}"
                )
            if resources[parent.name].partitions:
                raise SpecError(
                    where, f"parent '{parent.name}' is partitioned; a fan-out needs a whole list"
                )
            seen.append(parent.name)
            parent = resources[parent.name].parent
