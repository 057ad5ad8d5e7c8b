"""A specification made whole: defaults merged, parents found, contradictions refused.

`resolve` turns an `ApiSpec` (shapes) into an `Api` (meaning). What a resource's keys mean together
is judged in `rules.py`, what is in dlt's grammar by dlt, in `source.py`.
"""

from __future__ import annotations

import re
from typing import Any

from timetracking_assets.ingest.api import CONFIGURED, WINDOWS, Api, Parent, Resource
from timetracking_assets.ingest.errors import SpecError, SpecPath
from timetracking_assets.ingest.quality_rules import check_quality
from timetracking_assets.ingest.rules import check_columns, check_window
from timetracking_assets.ingest.spec import ApiSpec, ResourceSpec
from timetracking_assets.ingest.variables import VARIABLE, variable_names

_EXPRESSION = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")
_SELECTOR = re.compile(r"^(\$|[A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*)$")
_SECRET_KEYS = {"api_key", "token", "password", "username", "client_secret", "access_token"}


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
        if item.name in (CONFIGURED, WINDOWS):
            raise SpecError((*path, "name"), f"the name '{item.name}' is reserved")
        resources[item.name] = _resolve_resource(spec, item, path, names)
    _check_parents(spec, resources)
    check_quality(resources)
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
    if variables := variable_names(endpoint):
        raise SpecError(
            (*path, "endpoint"),
            f"`${{{variables[0]}}}` has no value here: variables belong into `client` and `ids`",
        )
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
        references=item.references,
        hours=item.hours,
        checks=item.checks.over(defaults.checks),
        endpoint=endpoint,
    )
    check_columns(resource, path)
    check_window(resource, path)
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
