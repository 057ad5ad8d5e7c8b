"""Asset specs: what Dagster knows of a resource before any run, and what keeps it fresh.

dagster-dlt's translator builds them; only what it can't know is added: prefix, lineage, columns,
policies, and Dagster's declarative automation under the names of `defs.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import dagster as dg
import dlt
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from timetracking_assets.orchestration.ui_address import dashboard_address
from timetracking_assets.spec.api import CONFIGURED, Api, Freshness, Resource, Schedule
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.find import destination_name

SYNC_MODE_TAG = "timetracking/sync_mode"
"""The tag by which assets can be selected by their sync mode."""
_LOOKBACK, _FRESHNESS = "lookback_days", "freshness"


def lookback_metadata(days: int) -> dict[str, int]:
    """The metadata that holds an asset's lookback; `lookback_of` reads it."""
    return {_LOOKBACK: days} if days else {}


def lookback_of(spec: dg.AssetSpec) -> int:
    """Days before its newest partition that the asset of `spec` loads again with it."""
    return int(spec.metadata.get(_LOOKBACK, 0))


def freshness_metadata(freshness: Freshness | None) -> dict[str, Any]:
    """The metadata that holds an asset's freshness, in the keys of `defs.yaml`; `freshness_of`
    reads it."""
    if freshness is None:
        return {}
    values: dict[str, Any] = {
        "fail_hours": _hours(freshness.fail_after),
        "warn_hours": _hours(freshness.warn_after),
    }
    if freshness.deadlines is not None:
        values |= {
            "cron": freshness.deadlines.cron,
            "timezone": freshness.deadlines.timezone,
            "within_hours": _hours(freshness.within),
        }
    return {_FRESHNESS: {name: value for name, value in values.items() if value is not None}}


def freshness_of(metadata: Mapping[str, Any]) -> Freshness | None:
    """The freshness that an asset's metadata holds, as plain values; None without any."""
    values = metadata.get(_FRESHNESS)
    if not isinstance(values, Mapping):
        return None
    cron, within = values.get("cron"), values.get("within_hours", 0)
    return Freshness(
        fail_after=_span(values.get("fail_hours")),
        warn_after=_span(values.get("warn_hours")),
        deadlines=Schedule(cron, values["timezone"]) if cron else None,
        within=timedelta(hours=within),
    )


def _hours(span: timedelta | None) -> float | None:
    return None if span is None else span / timedelta(hours=1)


def _span(hours: float | None) -> timedelta | None:
    return None if hours is None else timedelta(hours=hours)


class ResourceTranslator(DagsterDltTranslator):
    """Gives the asset of `resource` its key, group, lineage and columns."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """dagster-dlt's spec, with a true parent in place of its invented upstream asset."""
        resource = self._resource
        return (
            super()
            .get_asset_spec(data)
            .replace_attributes(
                key=asset_key(resource),
                deps=_parents(resource),
                group_name=resource.api,
                description=resource.description,
                kinds={"dlt", destination_name()},
                owners=list(resource.owners),
                tags={SYNC_MODE_TAG: resource.sync_mode, **resource.tags},
                metadata=_metadata(resource),
                automation_condition=automation_condition(resource),
                freshness_policy=freshness_policy(resource),
            )
        )


def asset_spec(resource: Resource) -> dg.AssetSpec:
    """The spec of the asset that is this resource's table."""
    dlt_resource = dlt.resource([], name=resource.name)
    data = DltResourceTranslatorData(resource=dlt_resource, pipeline=None)
    return ResourceTranslator(resource).get_asset_spec(data)


def asset_key(resource: Resource) -> dg.AssetKey:
    """`api/resource`."""
    return dg.AssetKey([resource.api, resource.name])


def _parents(resource: Resource) -> list[dg.AssetKey]:
    parent = resource.parent
    if parent is None or parent.name == CONFIGURED:
        return []
    return [dg.AssetKey([resource.api, parent.name])]


def reference_lineage(api: Api, resource: Resource) -> dg.TableColumnLineage | None:
    """The columns whose values refer to another table of `api`; None without any.

    It is no dependency between the assets: a table is loaded without those that it refers to.
    """
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for column, reference in resource.references.items():
        target = api.resources.get(reference.resource)
        name = reference.column or (target.primary_key[0] if target and target.primary_key else "")
        if target is not None and name:
            deps[column] = [dg.TableColumnDep(asset_key=asset_key(target), column_name=name)]
    return dg.TableColumnLineage(deps) if deps else None


def table_schema(resource: Resource, types: Mapping[str, DataType]) -> dg.TableSchema:
    """The columns in `types` as Dagster shows them, with what the resource declares of them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=data_type,
                description=declared.description if declared else None,
                constraints=dg.TableColumnConstraints(
                    nullable=name not in resource.primary_key
                    and (declared is None or declared.nullable),
                    unique=(name,) == resource.primary_key,
                ),
            )
            for name, data_type in types.items()
            for declared in [resource.columns.get(name)]
        ]
    )


def _metadata(resource: Resource) -> dict[str, Any]:
    types = {name: column.data_type for name, column in resource.columns.items()}
    metadata: dict[str, Any] = {
        "dagster/column_schema": table_schema(resource, types),
        "dagster/table_name": f"{resource.api}.{resource.name}",
        "primary_key": ", ".join(resource.primary_key),
        "sync_mode": resource.sync_mode,
        "health": dg.MetadataValue.url(dashboard_address([resource.api, resource.name])),
        **lookback_metadata(resource.automation.lookback),
        **freshness_metadata(resource.automation.freshness),
    }
    if resource.window:
        metadata["window_field"] = resource.window.field
    if resource.references:
        metadata["references"] = {
            column: reference.model_dump() for column, reference in resource.references.items()
        }
    return metadata


def automation_condition(resource: Resource) -> dg.AutomationCondition[dg.AssetKey] | None:
    """The condition under which Dagster loads `resource` by itself; None leaves it to schedules.

    Whatever the condition, it waits until the blocking checks of all parents have passed.
    """
    schedule = resource.automation.schedule
    condition: dg.AutomationCondition[Any] | None = None
    match resource.automation.condition:
        case "eager":
            condition = dg.AutomationCondition.eager()
        case "on_missing":
            condition = dg.AutomationCondition.on_missing()
        case "on_cron" if schedule:
            condition = dg.AutomationCondition.on_cron(schedule.cron, schedule.timezone)
    if condition is None:
        return None
    return condition & dg.AutomationCondition.all_deps_blocking_checks_passed()


def freshness_policy(resource: Resource) -> dg.FreshnessPolicy | None:
    """How old Dagster lets the table be before it shows it as stale."""
    freshness = resource.automation.freshness
    if freshness is None:
        return None
    if freshness.deadlines is not None:
        return _cron_policy(
            freshness.deadlines.cron, freshness.within, freshness.deadlines.timezone
        )
    assert freshness.fail_after is not None
    return dg.FreshnessPolicy.time_window(freshness.fail_after, freshness.warn_after)


@cache
def _cron_policy(cron: str, within: timedelta, timezone: str) -> dg.FreshnessPolicy:
    """Cached for all assets that share it: Dagster goes through a thousand ticks to check it."""
    return dg.FreshnessPolicy.cron(cron, within, timezone)
