"""The mappings of all APIs, as rows of SQL: which resources make a table, and a value's expression.

SQL is written in what DuckDB and PostgreSQL have in common. A column that the warehouse lacks (no
row has had it yet) is null, and so is a value that goes through a table that isn't there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from timetracking_assets.hours.tables import (
    BOOL,
    DAY,
    INSTANT,
    NUMBER,
    SECONDS,
    TEXT,
)
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.spec.unified import (
    EACH,
    UNITS,
    Kind,
    MappingSpec,
    ValueSpec,
    values,
)
from timetracking_assets.spec.unified_rules import linked_resource
from timetracking_assets.warehouse.base import literal, quoted

Types = Callable[[str, str], Mapping[str, str]]
"""API and resource -> the columns that their table has, with dlt's names of types; none: no table.
"""

_SQL_TYPES: dict[Kind, str] = {
    "bool": BOOL,
    "number": NUMBER,
    "date": DAY,
    "instant": INSTANT,
}
_DIGITS = "(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))"
_NUMBER_TEXT = r"^ *[-+]?[0-9]+([.][0-9]*)?([eE][-+]?[0-9]+)? *$"
_ISO_8601 = (
    r"^(-?)P(?:([0-9.]+)W)?(?:([0-9.]+)D)?"
    r"(?:T(?:([0-9.]+)H)?(?:([0-9.]+)M)?(?:([0-9.]+)S)?)?$"
)


def declared_types(apis: Iterable[Api]) -> Types:
    """The types that files declare, for SQL that is shown before anything is loaded."""
    known = {
        (api.name, resource.name): {n: str(c.data_type) for n, c in resource.columns.items()}
        for api in apis
        for resource in api.resources.values()
    }
    return lambda api, resource: known.get((api, resource), {})


def numbers(digits: int) -> str:
    """A relation with a column `n` from 0 to 10 ** digits - 1."""
    names = [f"d{power}" for power in range(digits)]
    total = " + ".join(f"{name}.n * {10**power}" for power, name in enumerate(names))
    tables = " CROSS JOIN ".join(f"{_DIGITS} AS {name}(n)" for name in names)
    return f"(SELECT {total} AS n FROM {tables})"


def null(sql_type: str) -> str:
    """A null of that type."""
    return f"CAST(NULL AS {sql_type})"


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

    def source(self) -> str:
        """What to select FROM; to be taken after the values."""
        resource = self.mapped.resource
        parts = [f"{quoted(resource.api, resource.name)} AS t"]
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
        sql_type = _SQL_TYPES.get(kind, TEXT)
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
                f"WHEN {literal(word)} THEN {_constant(meaning)}"
                for word, meaning in spec.map.items()
            )
            return f"CASE {as_text(*place)} {cases} END" if cases else null(sql_type)
        return _converted(*place, kind)

    def unknown_word(self, spec: ValueSpec) -> tuple[str, str] | None:
        """For a value with a `map`: its word, and a condition that the map doesn't know it."""
        place = self._path(spec.column) if spec.column and spec.map is not None else None
        if place is None or not spec.map:
            return None
        word = as_text(*place)
        return word, f"{word} IS NOT NULL AND {word} NOT IN ({', '.join(map(literal, spec.map))})"

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


def _constant(value: bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else literal(value)


def as_text(sql: str, data_type: str) -> str:
    """A value as text; a whole number without decimals, whatever its column's type."""
    text = f"CAST({sql} AS VARCHAR)"
    if data_type in ("double", "decimal"):
        return f"regexp_replace({text}, '[.]0+$', '')"
    return text


def _converted(sql: str, data_type: str, kind: Kind) -> str:
    if kind in ("id", "text", "iso8601", "list"):
        return as_text(sql, data_type)
    if kind == "bool":
        if data_type == "bool":
            return sql
        text = f"lower({as_text(sql, data_type)})"
        return (
            f"CASE WHEN {text} IN ('true', '1') THEN true WHEN {text} IN ('false', '0') THEN "
            "false END"
        )
    if data_type == "text" and kind == "number":
        # a column that has become text takes any value; what is no number has none
        return (
            f"CASE WHEN regexp_replace({sql}, '{_NUMBER_TEXT}', '') = '' AND {sql} <> '' "
            f"THEN CAST({sql} AS {NUMBER}) END"
        )
    return f"CAST({sql} AS {_SQL_TYPES[kind]})"


def iso8601_seconds(text: str) -> str:
    """The seconds of an ISO 8601 duration in weeks, days, hours, minutes and seconds; null for a
    text that is none, or has months or years, which have no length."""

    def part(number: int) -> str:
        part = f"regexp_replace({text}, '{_ISO_8601}', '\\{number}')"
        return f"CAST(coalesce(nullif({part}, ''), '0') AS {NUMBER})"

    factors = {2: 604_800, 3: 86_400, 4: 3_600, 5: 60, 6: 1}
    total = " + ".join(f"{part(number)} * {factor}" for number, factor in factors.items())
    sign = f"CASE WHEN {text} LIKE '-%' THEN -1 ELSE 1 END"
    return (
        f"CASE WHEN regexp_replace({text}, '{_ISO_8601}', '') = '' AND length({text}) > 2 "
        f"THEN CAST(round({total}) * {sign} AS {SECONDS}) END"
    )
