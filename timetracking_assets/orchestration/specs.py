"""Asset specs: what Dagster shows of a resource before anything has run.

dagster-dlt's translator builds them; only what it can't know (prefix, lineage, columns) is added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
import dlt
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from timetracking_assets.orchestration.conditions import automation_condition, freshness_policy
from timetracking_assets.orchestration.ranges import lookback_metadata
from timetracking_assets.spec.api import CONFIGURED, Resource
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.find import destination_name


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
                tags=resource.tags,
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
        **lookback_metadata(resource.automation.lookback),
    }
    if resource.window:
        metadata["window_field"] = resource.window.field
    if resource.references:
        metadata["references"] = {
            column: reference.model_dump() for column, reference in resource.references.items()
        }
    if resource.hours:
        metadata["hours"] = resource.hours.model_dump(exclude_none=True)
    return metadata
