"""dlt's own tables in a dataset: what it notes of each load, and which of that can go.

Only what concerns all of a dataset's tables belongs here; what a load does with dlt's note of its
own schema is in `ingest/load/`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted, staging_dataset

_LOADS, _STATES, _VERSIONS = "_dlt_loads", "_dlt_pipeline_state", "_dlt_version"


def prune_notes(opened: OpenWarehouse, dataset: str, before: datetime) -> int:
    """Remove dlt's notes of loads before that instant, and return how many.

    What dlt reads at the next load stays, however old: the newest schema and the newest state of
    each table, and the load that this state is of: dlt takes a state without one for none at all,
    and would restore no schema. To be called by whom holds the dataset's lock.
    """
    removed = 0
    old = f"TIMESTAMPTZ '{before.astimezone(UTC).isoformat()}'"
    for schema in (dataset, staging_dataset(dataset)):
        states, loads, versions = (quoted(schema, name) for name in (_STATES, _LOADS, _VERSIONS))
        columns = {name: opened.column_types(schema, name) for name in (_STATES, _LOADS, _VERSIONS)}
        if columns[_STATES] and columns[_LOADS]:
            newest = (
                f"SELECT s.pipeline_name, max(l.load_id) FROM {states} AS s "
                f"JOIN {loads} AS l ON l.load_id = s._dlt_load_id WHERE l.status = 0 "
                "GROUP BY s.pipeline_name"
            )
            removed += _delete(
                opened,
                states,
                f"created_at < {old} AND (pipeline_name, _dlt_load_id) NOT IN ({newest})",
            )
            removed += _delete(
                opened,
                loads,
                f"inserted_at < {old} AND load_id NOT IN (SELECT _dlt_load_id FROM {states})",
            )
        if columns[_VERSIONS]:
            newest = f"SELECT schema_name, max(inserted_at) FROM {versions} GROUP BY schema_name"
            removed += _delete(
                opened,
                versions,
                f"inserted_at < {old} AND (schema_name, inserted_at) NOT IN ({newest})",
            )
    return removed


def mend_clock(opened: OpenWarehouse, dataset: str, schema_name: str, now: datetime) -> None:
    """Let the newest note of a schema be no newer than `now`, where a clock was ahead.

    dlt takes the latest one for the newest schema: one from the future would hide those that later
    loads note. To be called by whom holds the dataset's lock.
    """
    for schema in (dataset, staging_dataset(dataset)):
        if not opened.column_types(schema, _VERSIONS):
            continue
        versions = quoted(schema, _VERSIONS)
        at = f"TIMESTAMPTZ '{now.astimezone(UTC).isoformat()}'"
        future = f"schema_name = {literal(schema_name)} AND inserted_at > {at}"
        if not opened.number(f"SELECT count(*) FROM {versions} WHERE {future}"):
            continue
        newest = f"SELECT max(inserted_at) FROM {versions} WHERE {future}"
        opened.change(f"DELETE FROM {versions} WHERE {future} AND inserted_at < ({newest})")
        opened.change(f"UPDATE {versions} SET inserted_at = {at} WHERE {future}")


def _delete(opened: OpenWarehouse, table: str, condition: str) -> int:
    count = opened.number(f"SELECT count(*) FROM {table} WHERE {condition}")
    if count:
        opened.change(f"DELETE FROM {table} WHERE {condition}")
    return count
