"""A project's own SQL files on top of the model: each is one more asset and table of its schema.

A file holds one SELECT in DuckDB's SQL, which is put into the words of the warehouse. What it reads
is what the asset depends on.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from timetracking_assets.errors import SpecError
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.orchestration.failures import or_failure
from timetracking_assets.orchestration.hours.asset_specs import (
    GROUP,
    automation_condition,
    hours_key,
    sql_metadata,
)
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
from timetracking_assets.warehouse.find import destination_name

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class SqlFile:
    """A file: the table that it makes, its SELECT, and the tables (schema, name) that it reads."""

    table: str
    sql: str
    description: str | None
    reads: tuple[tuple[str, str], ...]


def read_sql_files(folder: Path, schemas: Collection[str]) -> list[SqlFile]:
    """The files `*.sql` of `folder`, by name; `schemas` are those whose tables are assets.

    Raises SpecError for one that is no single SELECT, or has the name of a table of the model.
    """
    return [_read(path, {*schemas, SCHEMA}) for path in sorted(folder.glob("*.sql"))]


def _read(path: Path, schemas: Collection[str]) -> SqlFile:
    # only a project that has files waits for it
    import sqlglot
    from sqlglot import expressions

    name = path.stem
    if not _NAME.fullmatch(name) or name in TABLES:
        why = "is a table of the model" if name in TABLES else "is no name of a table"
        raise SpecError((), f"{path}: '{name}' {why}: give the file another name")
    text = path.read_text(encoding="utf-8")
    problem, statements = "", []
    try:
        statements = [item for item in sqlglot.parse(text, read="duckdb") if item is not None]
    except sqlglot.errors.SqlglotError as error:
        problem = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split())
    if problem:
        raise SpecError((), f"{path}: {problem}")
    if len(statements) != 1 or not isinstance(statements[0], expressions.Query):
        raise SpecError((), f"{path}: holds {len(statements)} statements: write one SELECT")
    [query] = statements
    known = {cte.alias for cte in query.find_all(expressions.CTE)}
    reads = {
        (table.db, table.name)
        for table in query.find_all(expressions.Table)
        if table.db and table.name not in known
    }
    for schema, table in sorted(reads):
        if schema not in schemas:
            raise SpecError(
                (),
                f"{path}: reads {schema}.{table}, but there is no schema '{schema}'; there are: "
                f"{', '.join(sorted(schemas))}",
            )
    if (SCHEMA, name) in reads:
        raise SpecError((), f"{path}: reads the table that it makes")
    comment = re.match(r"\s*--\s*(.+)", text)
    body = text.strip().rstrip(";")
    return SqlFile(name, body, comment.group(1).strip() if comment else None, tuple(sorted(reads)))


def sql_asset(file: SqlFile) -> dg.AssetsDefinition:
    """The asset of a file: its table is replaced as a whole, in one transaction."""

    @dg.asset(
        key=hours_key(file.table),
        deps=[dg.AssetKey(list(table)) for table in file.reads],
        description=file.description,
        group_name=GROUP,
        kinds={"sql", destination_name()},
        metadata={
            "dagster/table_name": f"{SCHEMA}.{file.table}",
            "sql": sql_metadata(file.sql),
        },
        automation_condition=automation_condition(),
        required_resource_keys={WAREHOUSE},
    )
    def build(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        from timetracking_assets.hours.build import replace_table

        resource: WarehouseResource = getattr(context.resources, WAREHOUSE)
        warehouse = or_failure(lambda: resource.open_for(context.instance))
        holder = f"run {context.run.run_id}, {SCHEMA}/{file.table}"

        def run() -> int:
            with warehouse.exclusive(holder, context.log.info, dataset=SCHEMA) as opened:
                return replace_table(opened, file.table, file.sql)

        rows = or_failure(run, warehouse.redactor)
        resource.note_changes()
        return dg.MaterializeResult(metadata={"dagster/row_count": rows})

    return build
