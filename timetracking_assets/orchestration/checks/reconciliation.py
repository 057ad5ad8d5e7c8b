"""Whether a table holds what the answer held, and the answer what the API says there is.

The checks that compare a load with its table; those of the table alone are in `load_checks.py`.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from timetracking_assets.ingest.windows import in_window_sql
from timetracking_assets.orchestration.checks.load_facts import LoadFacts
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import OpenWarehouse, quoted


def differences(resource: Resource, facts: LoadFacts, rows_in_scope: int | None) -> list[str]:
    """What does not add up, a sentence each; empty where everything does.

    `rows_in_scope` counts the table's rows of what was requested: all of a snapshot, or those that
    lie in the window.
    """
    found = list(facts.list_differences)
    keys = facts.distinct_keys
    # without a key each row counts
    kind = "keys" if resource.primary_key else "rows"
    if resource.primary_key and facts.keys_held is not None and facts.keys_held != keys:
        found.append(
            f"The answer has {keys} {kind}; the table holds {facts.keys_held} rows of them."
        )
    if rows_in_scope is not None:
        where = "in all" if resource.sync_mode == "snapshot" else f"in {facts.window}"
        # a row that is silent stays in this mode: there may be more of them, never less
        silent = resource.sync_mode == "changes"
        if facts.rows_kept:
            found.append(
                f"{facts.rows_kept} rows of the table are not in the answer, but stay: that they "
                "are gone was not confirmed, since its lists shifted each time they were read. "
                "Load again when fewer rows change."
            )
            rows_in_scope -= facts.rows_kept
        if rows_in_scope < keys or (rows_in_scope > keys and not silent):
            found.append(
                f"The answer has {keys} {kind}; the table holds {rows_in_scope} rows {where}."
            )
    if facts.stated_total is not None:
        answered = keys + facts.rows_outside_window
        # ids that another endpoint lists are not part of the answer
        answered += 0 if resource.deleted_ids else facts.rows_marked_deleted
        if answered != facts.stated_total:
            found.append(
                f"The API states a total of {facts.stated_total} rows; its pages held {answered} "
                "different ones. Pages that shift while they are read do that: load again."
            )
    return found


def rows_in_scope(warehouse: OpenWarehouse, resource: Resource, facts: LoadFacts) -> int:
    """The rows that the table now holds of what the load requested."""
    table = quoted(resource.api, resource.name)
    scope = in_window_sql(resource, facts.window)
    return warehouse.number(f"SELECT count(*) FROM {table} WHERE {scope}")


def reconciliation_metadata(
    facts: LoadFacts, rows_in_scope: int | None, differences: list[str]
) -> dict[str, Any]:
    """The counts that were compared; plain numbers, so that Dagster plots them."""
    counts = {
        "distinct_keys": facts.distinct_keys,
        "keys_held": facts.keys_held,
        "rows_in_scope": rows_in_scope,
        "stated_total": facts.stated_total,
    }
    return {
        **{name: value for name, value in counts.items() if value is not None},
        "differences": len(differences),
    }


def repeated_metadata(facts: LoadFacts) -> dict[str, Any]:
    """How many rows came again, with examples of their keys."""
    return {
        "rows_in_answer": facts.rows_in_answer,
        "rows_repeated": facts.rows_in_answer - facts.distinct_keys,
        "sample_keys": dg.MetadataValue.json(facts.repeated_keys),
    }
