"""Asset specs of the model of hours: keys, lineage, columns, and when each is built by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import dagster as dg

from timetracking_assets.hours.lineage import column_sources
from timetracking_assets.hours.mapping import declared_types
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.shapes import Column
from timetracking_assets.hours.sql import table_sql
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.orchestration.ui_address import dashboard_address
from timetracking_assets.warehouse.find import destination_name

GROUP = SCHEMA


def hours_key(table: str) -> dg.AssetKey:
    """`hours/table`."""
    return dg.AssetKey([SCHEMA, table])


def hours_spec(model: HoursModel, table: str) -> dg.AssetSpec:
    """The spec of a table of the model: it depends on the raw tables that it reads, and on no
    others."""
    definition = TABLES[table]
    deps = [dg.AssetKey(list(raw)) for raw in model.raw_tables(definition)]
    deps += [hours_key(name) for name in definition.reads]
    return dg.AssetSpec(
        hours_key(table),
        deps=deps,
        description=definition.description,
        group_name=GROUP,
        kinds={"sql", destination_name()},
        owners=list(model.spec.owners),
        metadata={
            "health": health_link(table),
            "dagster/table_name": f"{SCHEMA}.{table}",
            "dagster/column_schema": column_schema(definition.columns, definition.key),
            "dagster/column_lineage": column_lineage(model, table),
            "sql": sql_metadata(table_sql(model, table, declared_types(model.apis.values()))),
        },
        automation_condition=automation_condition(),
    )


def health_link(table: str) -> dg.MetadataValue[Any]:
    """Where the dashboard shows the table's state."""
    return dg.MetadataValue.url(dashboard_address([SCHEMA, table]))


def column_schema(columns: Iterable[Column], key: Sequence[str] = ()) -> dg.TableSchema:
    """The columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.sql_type.lower(),
                description=column.description,
                constraints=dg.TableColumnConstraints(unique=tuple(key) == (column.name,)),
            )
            for column in columns
        ]
    )


def column_lineage(model: HoursModel, table: str) -> dg.TableColumnLineage:
    """Which columns each column of the table is made of."""
    return dg.TableColumnLineage(
        {
            name: [
                dg.TableColumnDep(asset_key=dg.AssetKey([schema, source]), column_name=column)
                for schema, source, column in sources
            ]
            for name, sources in column_sources(model, table).items()
        }
    )


def sql_metadata(sql: str) -> dg.MetadataValue[Any]:
    """A query as Dagster shows it."""
    return dg.MetadataValue.md(f"```sql\n{sql}\n```")


@cache
def automation_condition() -> dg.AutomationCondition[Any]:
    """After each load of what it reads, unless a blocking check of that has failed.

    Not `eager()`, nor `all_deps_blocking_checks_passed()`: these wait for ever while one partition,
    or one API that isn't configured, has never been loaded.
    """
    condition = dg.AutomationCondition
    news = condition.newly_missing() | condition.any_deps_updated()
    failed = condition.any_checks_match(
        condition.check_failed() & ~condition.will_be_requested(), blocking_only=True
    )
    return (
        condition.in_latest_time_window()
        & news.since_last_handled()
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
        & ~condition.any_deps_match(failed)
    ).with_label("after_each_load")
