"""Which columns each column of the model is made of: of raw tables, and of the model itself."""

from __future__ import annotations

from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.spec.unified import UNITS

ColumnSource = tuple[str, str, str]
"""API (or the model's schema), table, column."""

_KEYS: dict[str, tuple[str, ...]] = {
    "source_id": ("id",),
    "person_key": ("person",),
    "project_key": ("project",),
    "client_key": ("client",),
    "task_key": ("task",),
    "plan_key": ("plan",),
    "day": ("day", "start", "timezone"),
    "started_at": ("start",),
    "ended_at": ("end",),
    "last_day": ("last_day", "first_day"),
    "estimated_seconds": ("estimate",),
}
_DURATION = (*UNITS, "start", "end")


def column_sources(model: HoursModel, table: str) -> dict[str, list[ColumnSource]]:
    """For each column of `table` those that it is made of, directly."""
    definition = TABLES[table]
    mapped_columns = [(mapped.api.name, mapped.columns()) for mapped in model.mapped(definition)]
    lineage: dict[str, list[ColumnSource]] = {}
    for column in definition.columns:
        name = column.name
        keys = _KEYS.get(name, (name,))
        if name == definition.key[0] and name != "source":
            keys = ("id",)
        elif table == "people_in_sources" and name in ("person_key", "matched_by"):
            keys = ("id", "email")
        elif table == "time_entries" and name in ("seconds", "running"):
            keys = _DURATION
        sources = [
            (api, *pair)
            for api, columns in mapped_columns
            for key, pairs in columns.items()
            if key in keys
            for pair in pairs
        ]
        for reference in column.of:
            sources.append((SCHEMA, *reference.split(".")))  # type: ignore[arg-type]
        if sources:
            lineage[name] = list(dict.fromkeys(sources))
    return lineage
