"""The mappings of all APIs: which resources make a table, and the columns that they use.

The SQL of their rows is made in `rows.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.spec.unified import EACH, MappingSpec, values

Types = Callable[[str, str], Mapping[str, str]]
"""API and resource -> the columns that their table has, with dlt's names of types; none: no table.
"""


def declared_types(apis: Iterable[Api]) -> Types:
    """The types that files declare, for SQL that is shown before anything is loaded."""
    known = {
        (api.name, resource.name): {n: str(c.data_type) for n, c in resource.columns.items()}
        for api in apis
        for resource in api.resources.values()
    }
    return lambda api, resource: known.get((api, resource), {})


@dataclass(frozen=True)
class Mapped:
    """A resource whose rows are rows of one table of the model."""

    api: Api
    resource: Resource
    table: str
    """The key of `unified`."""
    mapping: MappingSpec

    @property
    def label(self) -> str:
        """`api/resource`."""
        return self.resource.label

    @property
    def distinct(self) -> bool:
        """Whether rows with one id are one row."""
        return getattr(self.mapping, "distinct", False)

    def used_resources(self) -> dict[str, set[str]]:
        """Resource -> the columns of it that the mapping uses, its own resource first.

        Of a resource that is referred to, those by which its rows are known, too.
        """
        used: dict[str, set[str]] = {self.resource.name: set()}
        if self.mapping.each is not None:
            used[self.resource.name].add(self.mapping.each)
        for columns in self.columns().values():
            for name, column in columns:
                used.setdefault(name, set()).add(column)
        for column in list(used[self.resource.name]):
            reference = self.resource.references.get(column)
            if reference is not None and reference.resource in used:
                target = self.api.resources[reference.resource]
                used[target.name].update(target.primary_key)
                if reference.column:
                    used[target.name].add(reference.column)
        return used

    def columns(self) -> dict[str, list[tuple[str, str]]]:
        """For each key of the mapping the columns that it is made of: resource and column."""
        used: dict[str, list[tuple[str, str]]] = {}
        for where, _, value in values(self.mapping):
            for path in value.paths:
                if path == EACH:
                    path = str(self.mapping.each)
                column, _, beyond = path.partition(".")
                pairs = used.setdefault(str(where[0]), [])
                pairs.append((self.resource.name, column))
                if beyond:
                    reference = self.resource.references[column]
                    pairs.append((reference.resource, beyond))
        weekday = getattr(self.mapping, "weekday_hours", None)
        if weekday is not None:
            used["weekday_hours"] = [(self.resource.name, weekday.column)]
        return used


def mapped_resources(apis: Iterable[Api], table: str) -> list[Mapped]:
    """The resources that make the table of that key of `unified`, by API and as they are listed."""
    return [
        Mapped(api, resource, table, mapping)
        for api in apis
        for resource in api.resources.values()
        if resource.unified and (mapping := resource.unified.tables.get(table))
    ]


def is_qualified(api: Api, table: str) -> bool:
    """Whether ids of the table need their resource's name: several resources hold rows of it."""
    holders = [m for m in mapped_resources([api], table) if not m.distinct]
    return len(holders) > 1
