"""What a check is, what it may ask, and what it comes to.

A query of a check whose SQL and whose rows are those of the last build isn't made again. What is
asked is in the modules beside this one; how Dagster shows it is in `orchestration/hours/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from timetracking_assets.hours.fingerprints import Contents, digest
from timetracking_assets.hours.last_build import LastBuild
from timetracking_assets.hours.mapping import Mapped, Types
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted

SAMPLE = 10
"""Lines of a finding."""
NAMED = 3
"""Lines of a finding that its message names."""
OTHERS = ""
"""In the place of a source: the rows of sources that the model doesn't have."""


@dataclass(frozen=True)
class Finding:
    """What a check came to: `rows` are lines of a table whose columns are `head`, the worst first.

    `count`: all that the check counted, of which `rows` is a part; `{count}` is it in `template`,
    to which the message adds the first rows.
    """

    count: int = 0
    template: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    facts: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What it came to, and for which rows; empty where nothing is wrong."""
        if not self.count:
            return ""
        text = self.template.format(count=self.count)
        lines = [self._line(row) for row in self.rows[:NAMED]]
        if lines and self.count > len(lines):
            lines.append(f"and {self.count - len(lines)} more")
        return f"{text} ({'; '.join(lines)})" if lines else text

    def _line(self, row: tuple[Any, ...]) -> str:
        values = zip(self.head, row, strict=True)
        return ", ".join(f"{name} {value}" for name, value in values if value not in (None, ""))


@dataclass(frozen=True)
class Memory:
    """What the queries of the last build gave, and the contents of tables that it depends on."""

    last: LastBuild
    contents: Contents


@dataclass(frozen=True)
class Context:
    """What a check asks: the open warehouse, the model, the raw tables' columns, and which raw
    tables (API, resource) have ever been loaded.

    `source` is the one whose rows are to be looked at; None: all rows.
    """

    opened: OpenWarehouse
    model: HoursModel
    types: Types
    loaded: Collection[tuple[str, str]] = ()
    memory: Memory | None = None
    source: str | None = None
    name: str = ""

    def mapped(self, table: str) -> list[Mapped]:
        """The resources whose rows are looked at."""
        found = self.model.mapped(TABLES[table])
        return [item for item in found if self.source in (None, item.api.name)]

    def of_source(self, alias: str) -> str:
        """A condition for the rows that are looked at, of a table with a column `source`."""
        if self.source == OTHERS:
            names = ", ".join(literal(name) for name in self.model.apis)
            return f"{alias}.source NOT IN ({names})"
        return "true" if self.source is None else f"{alias}.source = {literal(self.source)}"

    def rows(self, sql: str, name: str = "") -> list[tuple[Any, ...]]:
        """The rows of a query, as numbers, texts and nulls. `name` tells a check's queries apart.

        It may read tables of the model, of which only the rows of `source` if there is one, and
        columns of raw tables that the checked table is made of.
        """
        if self.memory is None or self.source == OTHERS:
            return self._asked(sql)
        last, key = self.memory.last, f"{self.name} {name}".strip()
        made_from = digest(sql, *self._read_by(sql, self.memory.contents))
        known = last.result(key, self.source, made_from)
        if known is not None:
            return [tuple(row) for row in json.loads(known)]
        rows = self._asked(sql)
        last.note(key, self.source, made_from, json.dumps(rows))
        return rows

    def _asked(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(map(_plain, row)) for row in self.opened.rows(sql)]

    def _read_by(self, sql: str, contents: Contents) -> Iterable[str]:
        table = self.name.partition(".")[0]
        for (api, resource), columns in sorted(self.model.raw_columns(TABLES[table]).items()):
            if quoted(api, resource) in sql:
                there = [name for name in self.types(api, resource) if name in columns]
                yield contents.of_raw(api, resource, there)
        for name, other in TABLES.items():
            if quoted(SCHEMA, name) in sql:
                # of other tables it may read rows of all sources
                yield contents.of_table(name, self.source if name == table else None)
                yield ",".join(other.key)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


Question = Callable[[Context, str], Finding]


@dataclass(frozen=True)
class Check:
    """A check of a table. A failed one that is blocking keeps what reads the table from being
    built. `by_source`: each source's rows can be judged without the others'."""

    table: str
    name: str
    blocking: bool
    description: str
    question: Question
    by_source: bool = True

    def ask(self, context: Context) -> Finding:
        """What it comes to, for all sources together."""
        context = replace(context, name=f"{self.table}.{self.name}")
        sources = context.model.sources(TABLES[self.table]) if self.by_source else [None]
        if None not in sources:
            sources = [*sources, OTHERS]
        findings = [self.question(replace(context, source=s), self.table) for s in sources]
        in_turn = zip_longest(*(finding.rows for finding in findings))
        facts: dict[str, int] = {}
        for finding in findings:
            for name, number in finding.facts.items():
                facts[name] = facts.get(name, 0) + number
        return Finding(
            sum(finding.count for finding in findings),
            findings[0].template,
            findings[0].head,
            # some of each source, the worst first
            tuple(row for rows in in_turn for row in rows if row is not None)[:SAMPLE],
            facts,
        )


def table_of(name: str) -> str:
    """A table of the model, quoted."""
    return quoted(SCHEMA, name)


def sampled(
    context: Context,
    sql: str,
    head: tuple[str, ...],
    template: str,
    order: str,
    facts: dict[str, int] | None = None,
    more: Mapping[str, str] | None = None,
) -> Finding:
    """A finding of the rows that `sql` gives.

    `more`: further columns, by name, as SQL that is evaluated for the lines of the finding alone.
    """
    more = more or {}
    columns = ", ".join(f"f.{quoted(name)}" for name in head)
    others = "".join(f", {expression} AS {quoted(name)}" for name, expression in more.items())
    rows = context.rows(
        f"SELECT f.total, {columns}{others} FROM (SELECT count(*) OVER () AS total, f.* "
        f"FROM ({sql}) AS f ORDER BY {order} LIMIT {SAMPLE}) AS f ORDER BY {order}"
    )
    count = int(rows[0][0]) if rows else 0
    lines = tuple(row[1:] for row in rows)
    return Finding(count, template, (*head, *more), lines, facts or {})
