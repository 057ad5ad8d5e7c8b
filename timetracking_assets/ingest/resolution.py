"""A specification made whole: defaults merged, parents found, contradictions refused.

`resolve` turns an `ApiSpec` (shapes) into an `Api` (meaning). What a resource's keys mean together
is judged in `rules.py`, its parent found in `fan_out.py`; what is in dlt's grammar is judged by
dlt, in `source.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.ingest.api import CONFIGURED, WINDOWS, Api, Resource
from timetracking_assets.ingest.automation import resolve_automation
from timetracking_assets.ingest.automation_spec import ApiScheduleSpec
from timetracking_assets.ingest.credentials import refuse_in_endpoint, refuse_literals
from timetracking_assets.ingest.fan_out import check_parents, find_parent
from timetracking_assets.ingest.quality_rules import check_quality, without_links_to
from timetracking_assets.ingest.rules import (
    check_columns,
    check_endpoint,
    check_pages,
    check_probe,
    check_removal,
    check_window,
)
from timetracking_assets.ingest.spec import ApiSpec, ResourceSpec
from timetracking_assets.ingest.variables import VARIABLE


def resolve(spec: ApiSpec) -> Api:
    """Merge defaults, find parents, and refuse what can't be run.

    Raises SpecError with the path of the offending key.
    """
    _check_client(spec)
    names = _selected(spec)
    resources: dict[str, Resource] = {}
    for index, item in enumerate(spec.resources):
        path = ("resources", index)
        if item.name in [other.name for other in spec.resources[:index]]:
            raise SpecError((*path, "name"), f"resource '{item.name}' is already defined")
        if item.name in (CONFIGURED, WINDOWS):
            raise SpecError((*path, "name"), f"the name '{item.name}' is reserved")
        if item.name in names:
            resources[item.name] = _resolve_resource(spec, item, path, names)
    check_parents(spec, resources)
    check_quality(resources)
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
        resources=resources,
        whoami=spec.whoami,
        runs_by_itself=isinstance(spec.schedule, ApiScheduleSpec) and spec.schedule.running,
    )


def _selected(spec: ApiSpec) -> list[str]:
    """The resources to use. What the others say is not judged: their file may fit another API."""
    names = [resource.name for resource in spec.resources]
    for key, given in (("select", spec.select or []), ("exclude", spec.exclude)):
        for index, name in enumerate(given):
            if name not in names:
                raise SpecError(
                    (key, index), f"unknown resource '{name}'; there are {sorted(names)}"
                )
    wanted = names if spec.select is None else spec.select
    selected = [name for name in names if name in wanted and name not in spec.exclude]
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
    refuse_literals(spec.client)
    for name, value in spec.ids.items():
        if not VARIABLE.fullmatch(value):
            raise SpecError(("ids", name), "expected `${VARIABLE}`: a comma-separated list of ids")


def _resolve_resource(
    spec: ApiSpec, item: ResourceSpec, path: SpecPath, names: list[str]
) -> Resource:
    defaults = spec.resource_defaults
    endpoint = _endpoint(defaults.endpoint, item.endpoint, (*path, "endpoint"))
    data_selector = check_endpoint(f"resource '{item.name}'", endpoint, (*path, "endpoint"))

    def said(key: str) -> Any:
        """The resource's own word, else the API's default."""
        return getattr(item if key in item.model_fields_set else defaults, key)

    refuse_in_endpoint(endpoint, (*path, "endpoint"))
    left_out = {other.name for other in spec.resources}.difference(names)
    references, hours = without_links_to(left_out, item.references, item.hours)
    resource = Resource(
        api=spec.name,
        name=item.name,
        description=item.description,
        data_selector=data_selector,
        page_size=said("page_size"),
        max_pages=item.max_pages or defaults.max_pages,
        repeated_page=item.repeated_page or defaults.repeated_page,
        success_codes=tuple(
            defaults.success_codes if item.success_codes is None else item.success_codes
        ),
        null_is_empty=(
            defaults.null_is_empty if item.null_is_empty is None else item.null_is_empty
        ),
        primary_key=_primary_key(spec, item, path),
        sync_mode=item.sync_mode or defaults.sync_mode,
        partitions=item.partitions,
        window=item.window,
        columns={**defaults.columns, **item.columns},
        parent=find_parent(spec, item, endpoint, path, names),
        include_from_parent=tuple(item.include_from_parent),
        automation=resolve_automation(spec, item, item.sync_mode or defaults.sync_mode, path),
        total=said("total"),
        max_removed_share=said("max_removed_share"),
        max_rows_per_answer=said("max_rows_per_answer"),
        deleted_field=item.deleted_field,
        deleted_ids=item.deleted_ids,
        owners=tuple(defaults.owners if item.owners is None else item.owners),
        tags={**defaults.tags, **item.tags},
        references=references,
        hours=hours,
        checks=item.checks.over(defaults.checks),
        endpoint=endpoint,
        position=path[-1] if isinstance(path[-1], int) else 0,
    )
    check_columns(resource, path)
    check_pages(resource, path)
    check_window(resource, path)
    check_removal(resource, path)
    if item.probe:
        check_probe(resource, path)
    return resource


def _endpoint(
    defaults: Mapping[str, Any], own: Mapping[str, Any], path: SpecPath
) -> dict[str, Any]:
    endpoint = {**defaults, **own}
    for key in ("params", "headers"):
        merged = {**(defaults.get(key) or {}), **(own.get(key) or {})}
        endpoint[key] = {name: value for name, value in merged.items() if value is not None}
    paginator, below = endpoint.get("paginator"), defaults.get("paginator")
    if isinstance(paginator, dict) and "type" not in paginator:
        if not isinstance(below, dict):
            raise SpecError((*path, "paginator"), "needs a `type`")
        # what has no type of its own only changes the defaults' paginator
        endpoint["paginator"] = {**below, **paginator}
    return endpoint


def _primary_key(spec: ApiSpec, item: ResourceSpec, path: SpecPath) -> tuple[str, ...]:
    defaults = spec.resource_defaults
    keys = defaults.primary_key if item.primary_key is None else item.primary_key
    if keys is None or keys == "":
        raise SpecError(
            path,
            f"resource '{item.name}' does not say its `primary_key`, such as `primary_key: id`, or "
            "`primary_key: []` if nothing identifies a row",
        )
    return (keys,) if isinstance(keys, str) else tuple(keys)
