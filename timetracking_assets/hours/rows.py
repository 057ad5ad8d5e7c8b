"""The rows of a mapped resource as SQL: each value's expression, and what they are FROM.

A column that the warehouse lacks (no row has had it yet) is null, and so is a value that goes
through a table that does not exist.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from timetracking_assets.hours.conversions import (
    SQL_TYPES,
    as_text,
    constant,
    converted,
    iso8601_seconds,
    null,
    numbers,
)
from timetracking_assets.hours.mapping import Mapped, Types, is_qualified
from timetracking_assets.hours.shapes import NUMBER, SECONDS, TEXT
from timetracking_assets.spec.unified import EACH, UNITS, Kind, ValueSpec
from timetracking_assets.spec.unified_rules import linked_resource
from timetracking_assets.warehouse.base import literal, quoted

RUNNING_BELOW = -1_000_000_000
"""Seconds: some APIs write minus the UNIX time of its start for a timer that is running."""


def has_unit(mapping: Any) -> bool:
    """Whether a mapping of time entries says how long; else their start and end do."""
    return any(getattr(mapping, unit) is not None for unit in UNITS)


class Rows:
    """The rows of a mapped resource in the warehouse: values as SQL, and what they are FROM.

    The alias of the resource's own table is `t`.
    """

    def __init__(self, mapped: Mapped, types: Types) -> None:
        self.mapped = mapped
        self._types = types
        self._joined: dict[str, str] = {}
        self._own = types(mapped.api.name, mapped.resource.name)

    @property
    def there(self) -> bool:
        """Whether the warehouse has the table at all."""
        return bool(self._own)

    def source(self, where: str = "") -> str:
        """What to select FROM, its own rows for which `where` is true; to be taken after the
        values."""
        resource = self.mapped.resource
        table = quoted(resource.api, resource.name)
        parts = [f"(SELECT * FROM {table} WHERE {where}) AS t" if where else f"{table} AS t"]
        if each := self.mapped.mapping.each:
            parts.append(self._items(each))
        return " ".join([*parts, *self._joined.values()])

    def _items(self, column: str) -> str:
        # lists are JSON: `[1, 2]`, `["a", "b"]`; ids have neither commas nor blanks
        if column not in self._own:
            return f"CROSS JOIN (SELECT {null(TEXT)} AS item) AS u"
        text = self._list_text(f"t.{quoted(column)}")
        return (
            f"JOIN {numbers(3)} AS position ON {text} <> '' AND position.n <= length({text}) - "
            f"length(replace({text}, ',', ''))"
        )

    @staticmethod
    def _list_text(column: str) -> str:
        return f"regexp_replace(CAST({column} AS VARCHAR), '[^0-9A-Za-z_.,:+-]', '', 'g')"

    def _path(self, text: str) -> tuple[str, str] | None:
        """SQL and type of a column or `reference.column`; None if the warehouse lacks it."""
        if text == EACH:
            column = f"t.{quoted(str(self.mapped.mapping.each))}"
            if self.mapped.mapping.each not in self._own:
                return None
            return f"split_part({self._list_text(column)}, ',', position.n + 1)", "text"
        name, _, beyond = text.partition(".")
        if name not in self._own:
            return None
        if not beyond:
            return f"t.{quoted(name)}", self._own[name]
        reference = self.mapped.resource.references[name]
        target = self.mapped.api.resources[reference.resource]
        theirs = self._types(target.api, target.name)
        key = reference.column or target.primary_key[0]
        if beyond not in theirs or key not in theirs:
            return None
        alias = quoted(f"{name}_of")
        relation = quoted(target.api, target.name)
        if (key,) != target.primary_key:
            # several rows may have that value: one of them, or entries would be multiplied
            order = ", ".join(quoted(k) for k in target.primary_key if k in theirs) or quoted(key)
            relation = (
                f"(SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY {quoted(key)} "
                f"ORDER BY {order}) AS nth FROM {relation}) AS r WHERE r.nth = 1)"
            )
        ours, other = f"t.{quoted(name)}", f"{alias}.{quoted(key)}"
        if self._own[name] != theirs[key]:
            # one API writes an id as a number here and as text there
            ours, other = as_text(ours, self._own[name]), as_text(other, theirs[key])
        self._joined[name] = f"LEFT JOIN {relation} AS {alias} ON {other} = {ours}"
        return f"{alias}.{quoted(beyond)}", theirs[beyond]

    def value(self, spec: ValueSpec | None, kind: Kind) -> str:
        """A value as SQL of the one type that its kind has; a null where it can't be had."""
        sql_type = SQL_TYPES.get(kind, TEXT)
        if spec is None:
            return null(sql_type)
        if spec.sql is not None:
            places = {path: self._path(path) for path in spec.paths}
            if not all(places.values()):
                return null(sql_type)
            known = {path: place[0] for path, place in places.items() if place}
            expression = re.sub(r"\{([^{}]*)\}", lambda m: known[m.group(1)], spec.sql)
            return f"CAST(({expression}) AS {sql_type})"
        if spec.column is None:
            if isinstance(spec.value, bool):
                return "true" if spec.value else "false"
            return f"CAST({literal(str(spec.value))} AS {sql_type})"
        place = self._path(spec.column)
        if place is None:
            return null(sql_type)
        if spec.map is not None:
            cases = " ".join(
                f"WHEN {literal(theirs)} THEN {constant(ours)}" for theirs, ours in spec.map.items()
            )
            return f"CASE {as_text(*place)} {cases} END" if cases else null(sql_type)
        return converted(*place, kind)

    def unknown_value(self, spec: ValueSpec) -> tuple[str, str] | None:
        """For a value with a `map`: the API's, and a condition that the map doesn't have it."""
        place = self._path(spec.column) if spec.column and spec.map is not None else None
        if place is None:
            return None
        value = as_text(*place)
        known = f" AND {value} NOT IN ({', '.join(map(literal, spec.map))})" if spec.map else ""
        return value, f"{value} IS NOT NULL{known}"

    def seconds(self, units: object) -> str:
        """The seconds of whichever unit a mapping has; null where it has none."""
        for unit in UNITS:
            spec = getattr(units, unit)
            if spec is None:
                continue
            value = self.value(spec, "iso8601" if unit == "iso8601" else "number")
            if unit == "iso8601":
                return iso8601_seconds(value)
            factor = {"seconds": 1, "minutes": 60, "hours": 3600}[unit]
            return f"CAST(round({value} * {factor}) AS {SECONDS})"
        return null(SECONDS)

    @cached_property
    def local_id(self) -> str:
        """The id of a row: `[resource:]id[:item]`."""
        mapping = self.mapped.mapping
        own = self.link(mapping.id, self.mapped.table, own=True)
        if mapping.each is None or mapping.id.column == EACH:
            return own
        return f"{own} || ':' || {self.value(ValueSpec(column=EACH), 'id')}"

    def link(self, spec: ValueSpec | None, table: str, *, own: bool = False) -> str:
        """The local id of a row of another table (of `unified`'s key `table`)."""
        value = self.value(spec, "id")
        if spec is None or not is_qualified(self.mapped.api, table):
            return value
        mapped = self.mapped
        holder = (
            mapped.resource.name
            if own and not mapped.distinct
            else linked_resource(mapped.resource, mapped.api.resources, spec)
        )
        return f"{literal(f'{holder}:')} || {value}"

    def key(self, spec: ValueSpec | None, table: str) -> str:
        """The key in the model, `source:[resource:]id`, of a row of another table."""
        return f"{literal(f'{self.mapped.api.name}:')} || {self.link(spec, table)}"

    def seconds_worked(self) -> str:
        """The seconds of a raw time entry, null while it is running.

        It has none of the joins that the model's own SQL has, which is compared with it.
        """
        mapping: Any = self.mapped.mapping
        start, end = (self.value(value, "instant") for value in (mapping.start, mapping.end))
        if not has_unit(mapping):
            return f"CAST(round(CAST(epoch({end}) - epoch({start}) AS {NUMBER})) AS {SECONDS})"
        stated = self.seconds(mapping)
        running = f"{stated} <= {RUNNING_BELOW}"
        if mapping.start and mapping.end:
            running += f" OR ({start} IS NOT NULL AND {end} IS NULL AND {stated} = 0)"
        return f"CASE WHEN {running} THEN {null(SECONDS)} ELSE {stated} END"
