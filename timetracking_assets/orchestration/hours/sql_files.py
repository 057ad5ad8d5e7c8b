"""A project's own SQL files on top of the model: each is one more asset and table of its schema.

A file holds one SELECT in DuckDB's SQL, which is put into the words of the warehouse. What it reads
is what the asset depends on.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from timetracking_assets.errors import SpecError, SpecErrors, WarehouseError
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.orchestration.failures import or_failure
from timetracking_assets.orchestration.hours.asset_specs import (
    GROUP,
    automation_condition,
    health_link,
    hours_key,
    sql_metadata,
)
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
from timetracking_assets.warehouse.find import destination_name

if TYPE_CHECKING:
    from timetracking_assets.warehouse.base import OpenWarehouse

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_Table = tuple[str, str]
"""Schema and name."""


@dataclass(frozen=True)
class SqlFile:
    """A file: the table that it makes, its SELECT, and the tables (schema, name) that it reads."""

    path: Path
    table: str
    sql: str
    description: str | None
    reads: tuple[_Table, ...]


def read_sql_files(folder: Path, apis: Mapping[str, Collection[str]]) -> list[SqlFile]:
    """The files `*.sql` of `folder`, by name; `apis` are the tables of each API.

    Raises SpecError with all mistakes, each with file and line: what is no single SELECT, reads a
    table that doesn't exist, or has the name of a table of the model; files that read each other.
    """
    paths = sorted(folder.glob("*.sql"))
    own = {path.stem for path in paths}
    known = {**{api: set(tables) for api, tables in apis.items()}, SCHEMA: {*TABLES, *own}}
    files: list[SqlFile] = []
    problems: list[SpecError] = []
    for path in paths:
        try:
            files.append(_read(path, known))
        except SpecError as error:
            problems.extend(error.each)
    problems = problems or _circles(files)
    if problems:
        raise SpecErrors(problems)
    return files


def _read(path: Path, known: Mapping[str, Collection[str]]) -> SqlFile:
    # only a project that has files waits for it
    from sqlglot import expressions

    name = path.stem
    if not _NAME.fullmatch(name) or name in TABLES:
        why = "is a table of the model" if name in TABLES else "is no name of a table"
        raise _mistake(path, None, f"'{name}' {why}: give the file another name")
    text, statements = _parse(path)
    if len(statements) != 1 or not isinstance(statements[0], expressions.Query):
        several = f"holds {len(statements)} statements: write one SELECT"
        raise _mistake(path, None, "is no SELECT" if len(statements) == 1 else several)
    [query] = statements
    problems: list[SpecError] = []
    reads: set[_Table] = set()
    for table in query.find_all(expressions.Table):
        if not isinstance(table.this, expressions.Identifier) or _is_cte(table):
            continue
        schema, read = table.db.lower(), table.name.lower()
        if table.catalog or not schema or read not in known.get(schema, ()):
            line = table.this.meta.get("line")
            problems.append(
                _mistake(path, line, _unknown(table.sql("duckdb"), schema, read, known))
            )
        elif (schema, read) == (SCHEMA, name):
            problems.append(_mistake(path, table.this.meta.get("line"), "reads the table it makes"))
        reads.add((schema, read))
    if problems:
        raise SpecErrors(problems)
    comment = re.match(r"\s*--\s*(.+)", text)
    description = comment.group(1).strip() if comment else None
    return SqlFile(path, name, _without_end(text), description, tuple(sorted(reads)))


def _parse(path: Path) -> tuple[str, Sequence[Any]]:
    """The text of a file, and its statements."""
    import sqlglot
    from sqlglot import expressions

    line, problem = None, ""
    try:
        text = path.read_text(encoding="utf-8")
        parsed = sqlglot.parse(text, read="duckdb")
    except sqlglot.errors.ParseError as error:
        [first, *_] = error.errors
        line, problem = first["line"], first["description"].partition(" but got <Token")[0]
        problem += f" near `{first['highlight']}`"
    except sqlglot.errors.SqlglotError as error:
        problem = " ".join(str(error.__cause__ or error).split())
    except UnicodeDecodeError as error:
        problem = f"is no UTF-8 text: {error.reason} at byte {error.start}"
    if problem:
        raise _mistake(path, line, problem)
    return text, [p for p in parsed if p is not None and not isinstance(p, expressions.Semicolon)]


def _is_cte(table: Any) -> bool:
    """Whether a name without a schema is that of a CTE of a query around it."""
    if table.db:
        return False
    scope = table.parent
    while scope is not None:
        if any(cte.alias.lower() == table.name.lower() for cte in getattr(scope, "ctes", ())):
            return True
        scope = scope.parent
    return False


def _without_end(text: str) -> str:
    """The SELECT, its lines as they are numbered in the file, without what comes after it."""
    from sqlglot import TokenType, tokenize

    tokens = tokenize(text, read="duckdb")
    ends = (token.start for token in tokens if token.token_type == TokenType.SEMICOLON)
    return text[: next(ends, len(text))].rstrip()


def _unknown(written: str, schema: str, name: str, known: Mapping[str, Collection[str]]) -> str:
    written = written.partition(" AS ")[0]
    if not schema:
        places = [f"{owner}.{name}" for owner, tables in known.items() if name in tables]
        return f"{written} has no schema: write {' or '.join(places) or f'{SCHEMA}.{name}'}"
    if schema not in known:
        return f"there is no schema '{schema}'; there are: {', '.join(sorted(known))}"
    close = get_close_matches(name, known[schema], n=1)
    meant = f"; is it {schema}.{close[0]}?" if close else ""
    return f"there is no table {written}{meant}"


def _circles(files: Sequence[SqlFile]) -> list[SpecError]:
    """A mistake for files that read each other, each circle once."""
    reads = {f.table: [name for schema, name in f.reads if schema == SCHEMA] for f in files}
    paths = {file.table: file.path for file in files}
    found: dict[frozenset[str], SpecError] = {}
    for table in reads:
        for circle in _ways_back(table, reads, (table,)):
            way = " -> ".join(f"{name}.sql" for name in (*circle, table))
            mistake = _mistake(paths[table], None, f"the files read each other: {way}")
            found.setdefault(frozenset(circle), mistake)
    return list(found.values())


def _ways_back(
    table: str, reads: Mapping[str, Sequence[str]], way: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    for read in reads.get(way[-1], ()):
        if read == table:
            yield way
        elif read in reads and read not in way:
            yield from _ways_back(table, reads, (*way, read))


def _mistake(path: Path, line: int | None, what: str) -> SpecError:
    return SpecError((), f"{path}{f':{line}' if line else ''}: {what}")


def sql_asset(file: SqlFile, owners: Sequence[str] = ()) -> dg.AssetsDefinition:
    """The asset of a file: its table is replaced as a whole, in one transaction."""

    @dg.asset(
        key=hours_key(file.table),
        deps=[dg.AssetKey(list(table)) for table in file.reads],
        description=file.description,
        group_name=GROUP,
        kinds={"sql", destination_name()},
        owners=list(owners),
        metadata={
            "health": health_link(file.table),
            "dagster/table_name": f"{SCHEMA}.{file.table}",
            "sql": sql_metadata(file.sql),
        },
        automation_condition=automation_condition(),
        required_resource_keys={WAREHOUSE},
    )
    def build(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        resource: WarehouseResource = getattr(context.resources, WAREHOUSE)
        warehouse = or_failure(lambda: resource.open_for(context.instance))
        holder = f"run {context.run.run_id}, {SCHEMA}/{file.table}"

        def run() -> int:
            with warehouse.exclusive(holder, context.log.info, dataset=SCHEMA) as opened:
                return _replaced(opened, file)

        rows = or_failure(run, warehouse.redactor)
        resource.note_changes()
        return dg.MaterializeResult(metadata={"dagster/row_count": rows})

    return build


def _replaced(opened: "OpenWarehouse", file: SqlFile) -> int:
    """The rows of the table made again. Raises WarehouseError with what the database says."""
    from timetracking_assets.hours.build import replace_table

    problem = ""
    try:
        return replace_table(opened, file.table, file.sql)
    # of whichever driver, or the warehouse's own
    except Exception as error:
        problem = " ".join(str(error).split())
    raise WarehouseError(f"{file.path}: {problem}")
