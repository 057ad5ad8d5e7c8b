"""Data-quality checks: is what was loaded plausible? One step for all of an API's.

They are few, read counts only, and are judged by the thresholds under `checks` in `defs.yaml`. In a
run that loads, they wait until all of the run's tables of the API are loaded, so that references
between these are judged once both sides stand, and judge the window that was loaded; alone, they
judge whole tables. That a table is a faithful copy at all is asserted in `checks.py`.
"""

import warnings
from collections.abc import Iterator, Mapping

import dagster as dg

from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.partitions import tagged_window
from timetracking_assets.orchestration.quality_verdicts import (
    DURATIONS,
    NULLS,
    REFERENCES,
    SCHEMA,
    VOLUME,
    Judge,
)
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.spec.quality import CheckSpec
from timetracking_assets.warehouse.base import Warehouse

# Dagster warns of a parameter of its own when it binds resources to a definition of checks
warnings.filterwarnings("ignore", "Parameter `execution_type`", dg.BetaWarning)


def declared_checks(resource: Resource) -> dict[str, tuple[CheckSpec, str]]:
    """The checks that the resource has something to judge for: name -> settings, description."""
    checks = resource.checks
    found: dict[str, tuple[CheckSpec, str]] = {}
    if checks.volume and resource.partitions and resource.partitions.type == "daily":
        found[VOLUME] = (
            checks.volume,
            f"Each day holds {checks.volume.min_share:.0%} to {checks.volume.max_share:.0%} of the "
            f"rows usual for its weekday (median of {checks.volume.weeks} weeks).",
        )
    if checks.nulls and checks.nulls.columns:
        limits = ", ".join(f"{name} (at most {m:.0%})" for name, m in checks.nulls.columns.items())
        found[NULLS] = (checks.nulls, f"Few rows have no value in {limits}.")
    if checks.references and resource.references:
        targets = ", ".join(f"{name} in {r.resource}" for name, r in resource.references.items())
        found[REFERENCES] = (checks.references, f"Each value is found: {targets}.")
    if checks.durations and resource.hours:
        found[DURATIONS] = (
            checks.durations,
            f"No row lasts less than nothing or more than {checks.durations.max_hours:g} hours.",
        )
    if checks.schema_changes:
        found[SCHEMA] = (
            checks.schema_changes,
            "The table has the columns and types that it had at the last check.",
        )
    return found


def build_quality_checks(api: Api, warehouse_key: str) -> list[dg.AssetChecksDefinition]:
    """The one definition that holds all data-quality checks of `api`; none if nothing is judged."""
    specs = [
        dg.AssetCheckSpec(name, asset=asset_key(resource), description=description)
        for resource in api.resources.values()
        for name, (_, description) in declared_checks(resource).items()
    ]
    if not specs:
        return []

    @dg.multi_asset_check(
        name=f"{api.name}__quality_checks",
        specs=specs,
        can_subset=True,
        required_resource_keys={warehouse_key},
    )
    def quality_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse: Warehouse = getattr(context.resources, warehouse_key).open()
        selected = context.selected_asset_check_keys
        instance = context.instance
        results = []
        holder = f"run {context.run.run_id}, checks of {api.name}"
        with warehouse.exclusive(holder, dataset=api.name) as opened:
            for resource in api.resources.values():
                window = tagged_window(context.run.tags, resource)
                for name, (settings, _) in declared_checks(resource).items():
                    key = dg.AssetCheckKey(asset_key(resource), name)
                    if key in selected:
                        judge = Judge(
                            opened, api, resource, window, lambda k: _last_columns(instance, k)
                        )
                        results.append(judge.result(key, settings))
        yield from results

    return [quality_checks]


def _last_columns(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dict[str, str] | None:
    """The columns that the check saw the last time it was evaluated."""
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=5)
    for record in records:
        # the present run's evaluation is only planned yet
        if isinstance(evaluation := record.evaluation, dg.AssetCheckEvaluation):
            seen = evaluation.metadata.get("column_types")
            if seen is not None and isinstance(seen.value, Mapping):
                return {name: str(kind) for name, kind in seen.value.items()}
    return None
