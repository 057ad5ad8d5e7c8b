"""What a table of the model is described by, and the types of its columns."""

from __future__ import annotations

from dataclasses import dataclass

TEXT, BOOL, SECONDS, DAY = "VARCHAR", "BOOLEAN", "BIGINT", "DATE"
INSTANT, MONEY, NUMBER = "TIMESTAMP WITH TIME ZONE", "DECIMAL(18,4)", "DECIMAL(18,6)"


@dataclass(frozen=True)
class Column:
    """A column; `of` are the columns (`table.column`) of the model that it is made of."""

    name: str
    sql_type: str
    description: str
    of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of the model.

    `scope`: the columns whose values divide it into the parts that are replaced; none: it is
    replaced as a whole. `reads`: the tables of the model that it is made of. `mapping`: the key of
    `unified` whose rows it holds.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    reads: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    mapping: str | None = None

    @property
    def column_names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]
