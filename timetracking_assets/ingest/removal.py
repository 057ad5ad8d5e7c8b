"""What an answer removes: the scope that dlt deletes, and the guard against removing too much.

What is removed is counted in `changes.py`; ids that another endpoint lists come from
`deleted_ids.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from timetracking_assets.errors import RemovalError
from timetracking_assets.ingest.changes import Changes
from timetracking_assets.ingest.duplicates import drops_duplicates
from timetracking_assets.ingest.windows import Window, in_window_sql
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import Warehouse, quoted

_SMALL_TABLE = 20


def is_first_load(resource: Resource, stored: Mapping[str, str]) -> bool:
    """Whether there is nothing to replace in a table of the columns `stored`: none but rows that
    the answer itself marks as deleted.
    """
    return not stored and resource.deletion_mark is None


def merge_disposition(resource: Resource, window: Window | None, warehouse: Warehouse) -> Any:
    """dlt's merge, with what an answer replaces."""
    disposition = {
        "disposition": "merge",
        "strategy": "delete-insert",
        # dlt would sort all staged rows by their keys, each time
        "deduplicated": drops_duplicates(resource),
    }
    scope = removal_scope(resource, window)
    if scope is None:
        return disposition
    return {**disposition, "destination_scope": warehouse.in_dialect(scope)}


def removal_scope(resource: Resource, window: Window | None) -> str | None:
    """SQL for the rows that an answer replaces: the whole table, a window, or (None) its keys."""
    if resource.sync_mode == "snapshot":
        return "1 = 1"
    if resource.sync_mode == "changes" or window is None or resource.window is None:
        return None
    keys = ", ".join(quoted(name) for name in resource.primary_key)
    inside = in_window_sql(resource, window)
    # the keys, too: a row that has moved here from another window would otherwise stand twice
    return f"{inside} OR ({keys}) IN (SELECT {keys} FROM {{staging_table}})"


def refuse_large_removal(resource: Resource, changes: Changes) -> None:
    """Raise RemovalError if a snapshot would remove more than its share of a table of over 20 rows.

    An empty answer, a filter that the API ignores or a lost permission look like that.
    """
    if resource.sync_mode != "snapshot" or changes.rows_before <= _SMALL_TABLE:
        return
    # without a key a row that changed is not told from one that went: only the number counts
    removed = changes.deleted - (0 if resource.primary_key else changes.inserted)
    if removed > resource.max_removed_share * changes.rows_before:
        raise RemovalError(
            f"{resource.label}: this answer would remove {removed} of "
            f"{changes.rows_before} rows, more than {resource.max_removed_share:.0%} "
            "(`max_removed_share`). Nothing was changed. If the rows are really gone, run the "
            "asset once with the run config "
            f"`ops: {{{resource.api}__{resource.name}: {{config: {{allow_removal: true}}}}}}`."
        )
