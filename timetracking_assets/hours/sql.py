"""The SQL of each table of the model, by its name."""

from __future__ import annotations

from timetracking_assets.hours import derived_tables, mapped_tables
from timetracking_assets.hours.mapping import Types
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.tables import TABLES
from timetracking_assets.warehouse.base import quoted

_DERIVED = {
    "people": derived_tables.people,
    "calendar": derived_tables.calendar,
    "capacity_days": derived_tables.capacity_days,
    "planned_days": derived_tables.planned_days,
    "absence_days": derived_tables.absence_days,
    "person_days": derived_tables.person_days,
    "person_project_weeks": derived_tables.person_project_weeks,
}


def table_sql(model: HoursModel, table: str, types: Types) -> str:
    """The SELECT of a table, its columns in order and of their types.

    `types` are those of the raw tables; tables of the model are read as they are.
    """
    columns = ", ".join(
        f"CAST(m.{quoted(column.name)} AS {column.sql_type}) AS {quoted(column.name)}"
        for column in TABLES[table].columns
    )
    return f"SELECT {columns} FROM ({_select(model, table, types)}) AS m"


def _select(model: HoursModel, table: str, types: Types) -> str:
    if table in _DERIVED:
        return _DERIVED[table](model)
    if table == "people_in_sources":
        return mapped_tables.people_in_sources(model, types)
    if table == "time_entries":
        return mapped_tables.time_entries(model, types)
    if table in ("absences", "plans"):
        return mapped_tables.of_people(model, table, types)
    return mapped_tables.keyed(model, table, types)
