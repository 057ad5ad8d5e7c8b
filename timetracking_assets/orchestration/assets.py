"""Assets: one op for each resource, which loads its table and then checks it.

Only the op and its wiring belong here: specs are in `specs.py`, windows in `partitions.py`, checks
in `checks.py`, and the loading itself in `ingest`.
"""

import traceback
from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from timetracking_assets.errors import ApiError, IngestError, LockTimeoutError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.orchestration.asset_specs import asset_key, asset_spec
from timetracking_assets.orchestration.checks.load_checks import check_specs, run_checks, was_unique
from timetracking_assets.orchestration.checks.load_facts import LoadFacts, load_metadata
from timetracking_assets.orchestration.checks.quality_checks import build_quality_checks
from timetracking_assets.orchestration.partitions import partitions_definition, run_window
from timetracking_assets.orchestration.resources import WAREHOUSE, ApiResource, WarehouseResource
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.warehouse.base import Warehouse


class LoadConfig(dg.Config):
    """Run config of an asset."""

    allow_removal: bool = Field(
        False, description="let a snapshot remove more rows than its guard allows, this once"
    )


def build_api_definitions(api: Api) -> dg.Definitions:
    """The assets and checks of `api`, and its resource under the API's name."""
    return dg.Definitions(
        assets=[build_asset(api, resource) for resource in api.resources.values()],
        asset_checks=build_quality_checks(api, WAREHOUSE),
        resources={api.name: ApiResource(variables=api.variables)},
    )


def build_asset(api: Api, resource: Resource) -> dg.AssetsDefinition:
    """The asset of `resource`. Its checks run with it, and alone when only they are selected."""
    partitions = partitions_definition(resource.partitions)

    @dg.multi_asset(
        name=f"{resource.api}__{resource.name}",
        specs=[asset_spec(resource)],
        check_specs=check_specs(resource),
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions else None,
        required_resource_keys={api.name, WAREHOUSE},
        can_subset=True,
    )
    def load_asset(context: dg.AssetExecutionContext, config: LoadConfig) -> Iterator[Any]:
        warehouse_resource: WarehouseResource = getattr(context.resources, WAREHOUSE)
        warehouse = _or_fail(warehouse_resource.open)
        facts: LoadFacts | None = None
        known_unique = False
        if context.selected_asset_keys:
            # only a run that loads waits for what it takes
            from timetracking_assets.ingest.load.report import LoadRequest
            from timetracking_assets.ingest.load.run import run_load

            connection = _or_fail(lambda: getattr(context.resources, api.name).connect(api))
            request = LoadRequest(
                connection=connection,
                resource=resource,
                window=run_window(context, resource),
                holder=f"run {context.run.run_id}, {resource.label}",
                allow_removal=config.allow_removal,
                log=context.log.info,
            )
            report = _or_fail(lambda: run_load(request, warehouse), connection, warehouse)
            if report.changes.changed:
                warehouse_resource.note_changes()
            facts = LoadFacts.of_report(report)
            known_unique = was_unique(context.instance, resource, context.run.run_id)
            yield dg.MaterializeResult(
                asset_key=asset_key(resource), metadata=load_metadata(report)
            )
        else:
            facts = LoadFacts.of_latest_materialization(context.instance, resource)
        selected = context.op_execution_context.selected_asset_check_keys
        names = [spec.name for spec in check_specs(resource) if spec.key in selected]
        holder = f"run {context.run.run_id}, checks of {resource.label}"
        results = _or_fail(
            lambda: list(run_checks(resource, warehouse, names, facts, holder, known_unique)),
            warehouse=warehouse,
        )
        yield from results

    return load_asset


def _or_fail(
    action: Any, connection: Connection | None = None, warehouse: Warehouse | None = None
) -> Any:
    """What `action` gives, or a Failure with one clear, masked message and no chained exception."""
    failure: dg.Failure | None = None
    try:
        return action()
    except IngestError as error:
        transient = isinstance(error, LockTimeoutError) or (
            isinstance(error, ApiError) and error.transient
        )
        failure = dg.Failure(f"{error}\nSee {error.docs}.", allow_retries=transient)
    except Exception:
        text = traceback.format_exc()
        text = connection.redactor(text) if connection else text
        failure = dg.Failure(warehouse.redactor(text) if warehouse else text)
    raise failure
