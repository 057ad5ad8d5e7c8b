"""Assets: one op for each resource, which loads its table and then checks it.

Only the op and its wiring belong here: specs are in `asset_specs.py`, windows in `partitions.py`,
checks in `checks/`, and the loading itself in `ingest`.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from timetracking_assets.orchestration.asset_specs import asset_key, asset_spec, reference_lineage
from timetracking_assets.orchestration.backfills import backfill_policy
from timetracking_assets.orchestration.checks.load_checks import check_specs, run_checks, was_unique
from timetracking_assets.orchestration.checks.load_facts import (
    LoadFacts,
    load_metadata,
    partition_metadata,
)
from timetracking_assets.orchestration.checks.quality_checks import build_quality_checks
from timetracking_assets.orchestration.failures import or_failure
from timetracking_assets.orchestration.partitions import (
    partitions_definition,
    run_window,
)
from timetracking_assets.orchestration.resources import WAREHOUSE, ApiResource, WarehouseResource
from timetracking_assets.spec.api import Api, Resource

if TYPE_CHECKING:
    from timetracking_assets.ingest.load.report import LoadReport


class LoadConfig(dg.Config):
    """Run config of an asset."""

    allow_removal: bool = Field(
        False, description="let a snapshot remove more rows than its guard allows, this once"
    )


def build_api_definitions(api: Api) -> dg.Definitions:
    """The assets and checks of `api`, and its resource under the API's name."""
    return dg.Definitions(
        assets=[build_asset(api, resource) for resource in api.resources.values()],
        asset_checks=build_quality_checks(api),
        resources={api.name: ApiResource(variables=api.variables)},
    )


def build_asset(api: Api, resource: Resource) -> dg.AssetsDefinition:
    """The asset of `resource`. Its checks run with it, and alone when only they are selected."""
    partitions = partitions_definition(resource.partitions)
    references = reference_lineage(api, resource)
    lineage = {"dagster/column_lineage": references} if references else {}

    @dg.multi_asset(
        name=f"{resource.api}__{resource.name}",
        specs=[asset_spec(resource)],
        check_specs=check_specs(resource),
        partitions_def=partitions,
        pool=api.name,
        backfill_policy=backfill_policy(api, partitioned=partitions is not None),
        required_resource_keys={api.name, WAREHOUSE},
        can_subset=True,
    )
    def load_asset(context: dg.AssetExecutionContext, config: LoadConfig) -> Iterator[Any]:
        warehouse_resource: WarehouseResource = getattr(context.resources, WAREHOUSE)
        warehouse = or_failure(lambda: warehouse_resource.open_for(context.instance))
        facts: LoadFacts | None = None
        known_unique = False
        if context.selected_asset_keys:
            # only a run that loads waits for these imports
            from timetracking_assets.ingest.load.report import LoadRequest
            from timetracking_assets.ingest.load.run import run_load

            connection = or_failure(lambda: getattr(context.resources, api.name).connect(api))
            request = LoadRequest(
                connection=connection,
                resource=resource,
                window=run_window(context, resource),
                holder=f"run {context.run.run_id}, {resource.label}",
                allow_removal=config.allow_removal,
                log=context.log.info,
            )
            report = or_failure(
                lambda: run_load(request, warehouse), connection.redactor, warehouse.redactor
            )
            for warning in report.warnings:
                context.log.warning(warning)
            if report.changes.changed:
                warehouse_resource.note_changes()
            facts = LoadFacts.of_report(report)
            known_unique = was_unique(context.instance, resource, context.run.run_id)
            yield _materialization(context, report, lineage)
        else:
            facts = LoadFacts.of_latest_materialization(context.instance, resource)
        selected = context.op_execution_context.selected_asset_check_keys
        names = [spec.name for spec in check_specs(resource) if spec.key in selected]
        holder = f"run {context.run.run_id}, checks of {resource.label}"
        yield from or_failure(
            lambda: list(run_checks(resource, warehouse, names, facts, holder, known_unique)),
            warehouse.redactor,
        )

    return load_asset


def _materialization(
    context: dg.AssetExecutionContext, report: "LoadReport", lineage: Mapping[str, Any]
) -> dg.MaterializeResult[None]:
    """What a load has done. Dagster writes an event for each partition of the run: what is true of
    the load as a whole is in the last one, the newest partition's."""
    key, metadata = asset_key(report.resource), {**load_metadata(report), **lineage}
    if report.resource.partitions is None or not context.has_partition_key_range:
        return dg.MaterializeResult(asset_key=key, metadata=metadata)
    context.add_asset_metadata(metadata, key, partition_key=context.partition_keys[-1])
    return dg.MaterializeResult(asset_key=key, metadata=partition_metadata(metadata))
