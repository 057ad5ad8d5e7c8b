"""A specification made whole: defaults merged, parents found, contradictions refused.

`resolve` turns the attributes of a file into an `Api`. What a resource's keys mean together is
judged in `rules.py`; what is in dlt's grammar is judged by dlt, in `ingest/pages/rest_api.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.api import CONFIGURED, WINDOWS, Api, Parent, Resource
from timetracking_assets.spec.automation import ApiScheduleSpec
from timetracking_assets.spec.defaults import WithDefaults, resources_with_defaults
from timetracking_assets.spec.mistakes import Mistakes, instead_of, mistakes_in
from timetracking_assets.spec.model import ApiSpec, ResourceSpec
from timetracking_assets.spec.quality_rules import quality_mistakes
from timetracking_assets.spec.resolve_automation import resolve_automation
from timetracking_assets.spec.rules import (
    check_columns,
    check_endpoint,
    check_pages,
    check_removal,
    check_window,
)
from timetracking_assets.spec.unified_rules import unified_mistakes, without_lost_paths
from timetracking_assets.spec.variables import (
    VARIABLE,
    check_auth,
    refuse_in_endpoint,
    refuse_literals,
)


def resolve(attributes: Mapping[str, Any]) -> Api:
    """Merge defaults, find parents, and refuse what can't be run.

    Raises SpecError with the path of the offending key, SpecErrors for several;
    `defaults.written_at` gives the path where that key is written.
    """
    merged = resources_with_defaults(attributes)
    spec = _validated(attributes, merged)
    mistakes = Mistakes()
    with mistakes.noted():
        _check_client(spec)
    names = [item.name for item in spec.resources]
    with mistakes.noted():
        names = _selected(spec)
    resources: dict[str, Resource] = {}
    for index, (item, over) in enumerate(zip(spec.resources, merged, strict=True)):
        path = ("resources", index)
        with mistakes.noted():
            _check_name(spec, item, path)
            if item.name in names and over is not None:
                resources[item.name] = _resolve_resource(spec, item, over, path, names)
    mistakes.raise_any()
    # relations between resources are judged when each is right by itself
    with mistakes.noted():
        check_parents(spec, resources)
    mistakes.extend(quality_mistakes(resources))
    mistakes.raise_any()
    # it goes through references, which are right by now
    mistakes.extend(unified_mistakes(resources))
    mistakes.raise_any()
    return Api(
        name=spec.name,
        description=spec.description,
        client=spec.client,
        ids=_ids(spec, resources),
        retry=spec.retry,
        concurrency=spec.concurrency,
        rate_limit=spec.rate_limit,
        quota=spec.quota,
        max_response_bytes=spec.max_response_bytes,
        load_timeout=spec.load_timeout,
        resources=resources,
        whoami=spec.whoami,
        runs_by_itself=isinstance(spec.schedule, ApiScheduleSpec) and spec.schedule.running,
    )


def _check_name(spec: ApiSpec, item: ResourceSpec, path: tuple[str, int]) -> None:
    if item.name in [other.name for other in spec.resources[: path[1]]]:
        raise SpecError((*path, "name"), f"resource '{item.name}' is already defined")
    if item.name in (CONFIGURED, WINDOWS):
        raise SpecError((*path, "name"), f"the name '{item.name}' is reserved")


def _validated(attributes: Mapping[str, Any], merged: Sequence[WithDefaults | None]) -> ApiSpec:
    whole = dict(attributes)
    if merged:
        pairs = zip(merged, attributes["resources"], strict=True)
        whole["resources"] = [item.attributes if item else raw for item, raw in pairs]
    try:
        return ApiSpec.model_validate(whole)
    except ValidationError as error:
        mistakes = mistakes_in(error, whole, ApiSpec)
    mistakes.raise_any()
    raise AssertionError("an error without a mistake")


def _selected(spec: ApiSpec) -> list[str]:
    """The resources to use. What the others mean is not judged: their file may fit another API."""
    names = [resource.name for resource in spec.resources]
    mistakes = Mistakes(
        SpecError((key, index), f"unknown resource '{name}'; {instead_of(name, names)}")
        for key, given in (("select", spec.select or []), ("exclude", spec.exclude))
        for index, name in enumerate(given)
        if name not in names
    )
    mistakes.raise_any()
    chosen = names if spec.select is None else spec.select
    selected = [name for name in names if name in chosen and name not in spec.exclude]
    if not selected:
        raise SpecError(("exclude" if spec.select is None else "select",), "leaves no resource")
    return selected


def _ids(spec: ApiSpec, resources: dict[str, Resource]) -> dict[str, str]:
    """The configured ids; of a selection, only those that it needs."""
    if len(resources) == len(spec.resources):
        return spec.ids
    parents = [r.parent for r in resources.values() if r.parent and r.parent.name == CONFIGURED]
    used = {name for parent in parents for name in parent.fields}
    return {name: value for name, value in spec.ids.items() if name in used}


def _check_client(spec: ApiSpec) -> None:
    if not spec.client.get("base_url"):
        raise SpecError(
            ("client",), "`base_url` is missing, such as `base_url: ${MY_API_BASE_URL}`"
        )
    if "paginator" in spec.client or "session" in spec.client:
        raise SpecError(
            ("client",), "`paginator` belongs into each `endpoint` (or `resource_defaults`)"
        )
    check_auth(spec.client.get("auth"), ("client", "auth"))
    refuse_literals(spec.client)
    for name, value in spec.ids.items():
        if not VARIABLE.fullmatch(value):
            raise SpecError(("ids", name), "expected `${VARIABLE}`: a comma-separated list of ids")


def _resolve_resource(
    spec: ApiSpec, item: ResourceSpec, merged: WithDefaults, path: SpecPath, names: list[str]
) -> Resource:
    mistakes = Mistakes()
    data_selector = ""
    with mistakes.noted():
        data_selector = check_endpoint(
            f"resource '{item.name}'", item.endpoint, (*path, "endpoint")
        )
    with mistakes.noted():
        check_auth(item.endpoint.get("auth"), (*path, "endpoint", "auth"))
    with mistakes.noted():
        refuse_in_endpoint(item.endpoint, (*path, "endpoint"))
    if "primary_key" not in item.model_fields_set:
        mistakes.append(
            SpecError(
                path,
                f"resource '{item.name}' has no `primary_key`, such as `primary_key: id`, or "
                "`primary_key: []` if nothing identifies a row",
            )
        )
    mistakes.raise_any()
    parent = find_parent(spec, item, path, names)
    left_out = {other.name for other in spec.resources}.difference(names)
    resource = Resource.model_construct(
        **{
            **dict(item),
            "references": {
                name: reference
                for name, reference in item.references.items()
                if reference.resource not in left_out
            },
            "unified": without_lost_paths(item.unified, item.references, left_out),
            "api": spec.name,
            "data_selector": data_selector,
            "parent": parent,
            "automation": resolve_automation(spec, item, merged, parent, path),
            "position": path[-1],
        }
    )
    for check in (check_columns, check_pages, check_window, check_removal):
        with mistakes.noted():
            check(resource, path)
    mistakes.raise_any()
    return resource


_EXPRESSION = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")


def find_parent(
    spec: ApiSpec, item: ResourceSpec, path: SpecPath, names: list[str]
) -> Parent | None:
    """What the endpoint's expressions are bound to: one of the resources `names`, or `ids`.

    Raises SpecError for an expression that is bound to nothing, or for a second parent.
    """
    fields: dict[str, list[str]] = {}
    where, endpoint = (*path, "endpoint", "path"), item.endpoint
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
            raise SpecError(
                where, f"`ids` has no '{parent_field}'; {instead_of(parent_field, spec.ids)}"
            )
        if parent != CONFIGURED and parent not in names:
            raise SpecError(
                where,
                f"unknown parent '{parent}' among the selected resources; "
                + instead_of(parent, names),
            )
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
            f"`include_from_parent`, not {', '.join(sorted({*used, *item.include_from_parent}))}",
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


def check_parents(spec: ApiSpec, resources: dict[str, Resource]) -> None:
    """Raise SpecError for parents that go in a circle, or that have partitions."""
    for index, item in enumerate(spec.resources):
        if item.name not in resources:
            continue
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
