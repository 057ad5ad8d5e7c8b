"""The ids that a fan-out goes over: from configuration, the parent's table, or the API.

This is the one place where an answer becomes Python rows; tables never do.
"""

from __future__ import annotations

from collections.abc import Mapping

from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.columns.names import column_of
from timetracking_assets.ingest.columns.page_typer import PageTyper
from timetracking_assets.ingest.connection import Connection, ParentRows
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.pages.fetch import open_pages
from timetracking_assets.spec.api import CONFIGURED, Parent, Resource
from timetracking_assets.warehouse.base import OpenWarehouse, quoted


def stored_parent_rows(
    connection: Connection, resource: Resource, warehouse: OpenWarehouse
) -> ParentRows | None:
    """Ids that need no request; None if the parent's table doesn't exist yet."""
    parent = resource.parent
    if parent is None:
        return None
    if parent.name == CONFIGURED:
        return connection.configured_ids(parent, resource)
    source = connection.api.resources[parent.name]
    columns = {field: column_of(source, (field,)) for field in parent.fields}
    known = warehouse.column_types(resource.api, parent.name)
    if not known:
        return None
    missing = [field for field, column in columns.items() if column not in known]
    if missing:
        raise IngestError(
            f"{resource.label}: the table of its parent {resource.api}.{parent.name} has no "
            f"column for '{missing[0]}'; it has {', '.join(known)}"
        )
    names = ", ".join(quoted(column) for column in columns.values())
    table = quoted(resource.api, parent.name)
    rows = warehouse.rows(f"SELECT DISTINCT {names} FROM {table} ORDER BY {names}")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def requested_parent_rows(
    connection: Connection, resource: Resource, stats: RequestStats
) -> ParentRows:
    """Ids requested from the API, for a parent (and, in turn, its parents) without a table."""
    parent: Parent = resource.parent  # type: ignore[assignment]
    source = connection.api.resources[parent.name]
    grandparents: ParentRows | None = None
    if source.parent is not None:
        if source.parent.name == CONFIGURED:
            grandparents = connection.configured_ids(source.parent, source)
        else:
            grandparents = requested_parent_rows(connection, source, stats)
    typer = PageTyper(source, {})
    rows: list[Mapping[str, object]] = []
    with open_pages(connection, source, stats, parent_rows=grandparents) as pages:
        for page in pages:
            table = typer(page)
            columns = {field: column_of(source, (field,)) for field in parent.fields}
            missing = [field for field, name in columns.items() if name not in table.column_names]
            if missing:
                raise IngestError(f"{source.label}: its rows have no field '{missing[0]}'")
            selected = table.select(list(columns.values())).rename_columns(list(columns))
            rows += selected.to_pylist()
    return list({tuple(row.values()): row for row in rows}.values())
