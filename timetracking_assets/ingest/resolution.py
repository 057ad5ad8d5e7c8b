"""A specification made whole: defaults merged, parents found, contradictions refused.

`resolve` turns an `ApiSpec` (shapes) into an `Api` (meaning). What a resource's keys mean together
is judged in `rules.py`, what is in dlt's grammar by dlt, in `source.py`.
"""

from __future__ import annotations

import re
from typing import Any

from timetracking_assets.ingest.api import CONFIGURED, WINDOWS, Api, Parent, Resource
from timetracking_assets.ingest.automation import resolve_automation
from timetracking_assets.ingest.automation_spec import ApiScheduleSpec
from timetracking_assets.ingest.credentials import refuse_in_endpoint, refuse_literals
from timetracking_assets.ingest.errors import SpecError, SpecPath
from timetracking_assets.ingest.quality_rules import check_quality
from timetracking_assets.ingest.rules import (
    check_columns,
    check_endpoint,
    check_probe,
    check_removal,
    check_window,
)
from timetracking_assets.ingest.spec import ApiSpec, ResourceSpec
from timetracking_assets.ingest.variables import VARIABLE, variable_names

_EXPRESSION = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")


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
    return Api(
        name=spec.name,
        description=spec.description,
        client=spec.client,
        ids=spec.ids,
        retry=spec.retry,
        concurrency=spec.concurrency,
        rate_limit=spec.rate_limit,
        quota=spec.quota,
        max_response_bytes=spec.max_response_bytes,
        resources=resources,
        runs_by_itself=isinstance(spec.schedule, ApiScheduleSpec) and spec.schedule.running,
    )


def _check_client(spec: ApiSpec) -> None:
    if not spec.client.get("base_url"):
        raise SpecError(
            ("client",), "`base_url` is missing, such as `base_url: ${MY_API_BASE_URL}`"
        )
    if "paginator" in spec.client or "session" in spec.client:
        raise SpecError(
            ("client",), "`paginator` belongs into each `endpoint` (or `resource_defaults`)"
        )
    refuse_literals(spec.client)
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
    data_selector = check_endpoint(f"resource '{item.name}'", endpoint, (*path, "endpoint"))
    if variables := variable_names(endpoint):
        raise SpecError(
            (*path, "endpoint"),
            f"`${{{variables[0]}}}` has no value here: variables belong into `client` and `ids`",
        )

    def said(key: str) -> Any:
        """The resource's own word, else the API's default."""
        return getattr(item if key in item.model_fields_set else defaults, key)

    refuse_in_endpoint(endpoint, (*path, "endpoint"))
    resource = Resource(
        api=spec.name,
        name=item.name,
        description=item.description,
        data_selector=data_selector,
        page_size=said("page_size"),
        max_pages=item.max_pages or defaults.max_pages,
        primary_key=_primary_key(spec, item, path),
        sync_mode=item.sync_mode or defaults.sync_mode,
        partitions=item.partitions,
        window=item.window,
        columns={**defaults.columns, **item.columns},
        parent=_parent(spec, item, endpoint, path, names),
        include_from_parent=tuple(item.include_from_parent),
        automation=resolve_automation(spec, item, item.sync_mode or defaults.sync_mode, path),
        total=said("total"),
        max_removed_share=said("max_removed_share"),
        max_rows_per_answer=said("max_rows_per_answer"),
        deleted_field=item.deleted_field,
        deleted_ids=item.deleted_ids,
        owners=tuple(defaults.owners if item.owners is None else item.owners),
        tags={**defaults.tags, **item.tags},
        references=item.references,
        hours=item.hours,
        checks=item.checks.over(defaults.checks),
        endpoint=endpoint,
    )
    check_columns(resource, path)
    check_window(resource, path)
    check_removal(resource, path)
    if item.probe:
        check_probe(resource, path)
    return resource


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
