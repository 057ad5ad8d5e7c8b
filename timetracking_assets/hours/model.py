"""The model of a project: its settings and the APIs whose rows it holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from timetracking_assets.hours.mapping import Mapped, mapped_resources
from timetracking_assets.hours.shapes import Table
from timetracking_assets.hours.tables import TABLES
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.hours_model import HoursModelSpec
from timetracking_assets.warehouse.base import literal


@dataclass(frozen=True)
class HoursModel:
    """The settings of `defs/hours/defs.yaml` beside all APIs of the project, by name."""

    spec: HoursModelSpec
    apis: Mapping[str, Api]

    def mapped(self, table: Table) -> list[Mapped]:
        """The resources that make `table`; none for one that is made of other tables."""
        return mapped_resources(self.apis.values(), table.mapping) if table.mapping else []

    def raw_tables(self, table: Table) -> list[tuple[str, str]]:
        """API and resource of each raw table that the SQL of `table` reads, itself."""
        tables = [
            (mapped.api.name, name)
            for mapped in self.mapped(table)
            for name in mapped.used_resources()
        ]
        return list(dict.fromkeys(tables))

    def all_raw_tables(self) -> list[tuple[str, str]]:
        """The same for all tables."""
        tables = [raw for table in TABLES.values() for raw in self.raw_tables(table)]
        return list(dict.fromkeys(tables))

    def raw_columns(self, table: Table) -> dict[tuple[str, str], set[str]]:
        """API and resource -> the columns that the SQL of `table` reads of its raw table."""
        columns: dict[tuple[str, str], set[str]] = {}
        for mapped in self.mapped(table):
            for name, used in mapped.used_resources().items():
                columns.setdefault((mapped.api.name, name), set()).update(used)
        return columns

    def sources(self, table: Table) -> list[str | None]:
        """The APIs whose rows are made apart from the others'; `[None]`: all rows at once."""
        if "source" not in table.scope:
            return [None]
        return list(dict.fromkeys(mapped.api.name for mapped in self.mapped(table))) or [None]

    def only(self, api: str) -> HoursModel:
        """The model of that API alone."""
        return replace(self, apis={api: self.apis[api]})

    def without(self, apis: Collection[str]) -> HoursModel:
        """The model of all APIs but these."""
        return replace(self, apis={n: api for n, api in self.apis.items() if n not in apis})

    def rank(self, key: str, column: str) -> str:
        """SQL that orders sources by `precedence`: those that it doesn't name come last."""
        names = getattr(self.spec.precedence, key)
        cases = " ".join(f"WHEN {literal(name)} THEN {n}" for n, name in enumerate(names))
        return f"CASE {column} {cases} ELSE {len(names)} END" if cases else "0"
