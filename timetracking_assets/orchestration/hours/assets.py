"""The assets of the model of hours: one step that builds the selected tables and checks them.

Only the step and its wiring belong here: specs are in `asset_specs.py`, the project's own SQL files
in `sql_files.py`, and the building itself in `hours/`.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from timetracking_assets.hours.checks.check import Check, Finding
from timetracking_assets.hours.checks.declared import checks_of
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.orchestration.automation.jobs import API_TAG, KIND_TAG, sensor_status
from timetracking_assets.orchestration.failures import or_failure
from timetracking_assets.orchestration.hours.asset_specs import (
    column_lineage,
    column_schema,
    hours_key,
    hours_spec,
    sql_metadata,
)
from timetracking_assets.orchestration.hours.sql_files import SqlFile, sql_asset
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource

if TYPE_CHECKING:
    from timetracking_assets.hours.build import TableReport
    from timetracking_assets.hours.run import ModelReport


def build_hours_definitions(model: HoursModel, files: Sequence[SqlFile] = ()) -> dg.Definitions:
    """The assets of the model and of the SQL files on top of it, their checks, and the sensor that
    builds them after loads."""
    assets = [hours_assets(model), *(sql_asset(file, model.spec.owners) for file in files)]
    keys = [key for asset in assets for key in asset.keys]
    return dg.Definitions(
        assets=assets,
        jobs=[
            dg.define_asset_job(
                "hours_model",
                selection=dg.AssetSelection.assets(*keys),
                description="Builds the whole model of hours.",
                tags={API_TAG: SCHEMA, KIND_TAG: "model"},
            )
        ],
        sensors=[
            dg.AutomationConditionSensorDefinition(
                "hours_automation",
                target=dg.AssetSelection.assets(*keys),
                default_status=sensor_status(),
                run_tags={API_TAG: SCHEMA, KIND_TAG: "automation"},
            )
        ],
    )


def hours_assets(model: HoursModel) -> dg.AssetsDefinition:
    """All tables of the model as one step; any of them can be built alone."""
    checks = checks_of(model)

    @dg.multi_asset(
        name="hours",
        specs=[hours_spec(model, table) for table in TABLES],
        check_specs=[_check_spec(check) for check in checks],
        required_resource_keys={WAREHOUSE},
        can_subset=True,
    )
    def build_hours(context: dg.AssetExecutionContext) -> Iterator[Any]:
        # only a run that builds waits for what it takes
        from timetracking_assets.hours.copies import Copies
        from timetracking_assets.hours.run import run_model

        resource: WarehouseResource = getattr(context.resources, WAREHOUSE)
        warehouse = or_failure(lambda: resource.open_for(context.instance))
        tables = [name for name in TABLES if hours_key(name) in context.selected_asset_keys]
        selected = context.op_execution_context.selected_asset_check_keys
        chosen = [check for check in checks if _check_key(check) in selected]
        holder = f"run {context.run.run_id}, the model of hours"
        loaded = _loaded(context.instance, model)

        def run() -> "ModelReport":
            with warehouse.exclusive(holder, context.log.info, dataset=SCHEMA) as opened:
                names = [(check.table, check.name) for check in chosen]
                copies = Copies.of(model.spec.copies, warehouse.directory)
                older = copies.begin()
                report = run_model(opened, model, tables, names, loaded)
                if report.changed or older:
                    written = [name for name in TABLES if opened.column_types(SCHEMA, name)]
                    copies.write(opened, written)
                copies.end()
                return report

        report = or_failure(run, warehouse.redactor)
        if report.changed:
            resource.note_changes()
        for name in (name for name in tables if name in report.tables):
            table = report.tables[name]
            yield dg.MaterializeResult(
                asset_key=hours_key(name), metadata=_metadata(model, name, table)
            )
        for check in chosen:
            if (finding := report.findings.get((check.table, check.name))) is not None:
                yield check_result(check, finding)
        for name, because in report.kept_back.items():
            context.log.error(
                f"{SCHEMA}.{name} stays as it was: blocking checks of {', '.join(because)} failed"
            )

    return build_hours


def _check_key(check: Check) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(hours_key(check.table), check.name)


def _check_spec(check: Check) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        check.name,
        asset=hours_key(check.table),
        blocking=check.blocking,
        description=check.description,
    )


def check_result(check: Check, finding: Finding) -> dg.AssetCheckResult:
    """A finding as Dagster shows it: how many, and the first rows as a table."""
    metadata: dict[str, Any] = {"found": finding.count, **finding.facts}
    if finding.rows:
        metadata["sample"] = dg.MetadataValue.table(
            [
                dg.TableRecord(
                    {
                        name: value if isinstance(value, int | float) else str(value or "")
                        for name, value in zip(finding.head, row, strict=True)
                    }
                )
                for row in finding.rows
            ],
            schema=dg.TableSchema([dg.TableColumn(name) for name in finding.head]),
        )
    severity = dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        passed=finding.count == 0,
        asset_key=hours_key(check.table),
        check_name=check.name,
        severity=severity,
        description=finding.text or None,
        metadata=metadata,
    )


def _metadata(model: HoursModel, name: str, report: "TableReport") -> dict[str, Any]:
    table = TABLES[name]
    return {
        "dagster/row_count": report.rows,
        "dagster/table_name": f"{SCHEMA}.{name}",
        "dagster/column_schema": column_schema(table.columns, table.key),
        "dagster/column_lineage": column_lineage(model, name),
        "parts_replaced": report.parts_replaced,
        "rows_written": report.rows_written,
        "rows_removed": report.rows_removed,
        "seconds_build": round(report.seconds, 3),
        "sql": sql_metadata(report.sql),
    }


def _loaded(instance: dg.DagsterInstance, model: HoursModel) -> set[tuple[str, str]]:
    """The raw tables that have ever been loaded, as far as the instance remembers."""
    raw = model.all_raw_tables()
    records = instance.get_asset_records([dg.AssetKey(list(table)) for table in raw])
    keys = {
        tuple(record.asset_entry.asset_key.path)
        for record in records
        if record.asset_entry.last_materialization is not None
    }
    return {table for table in raw if table in keys}
