"""The types of one load's columns: what is known of each, and what it may still become.

Declared types never change, those of the table only where `learning`, inferred ones until a table
with them went out. What a page's values are is not known here: which type they need is decided in
`column_reader.py`, what fits a type in `values.py`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

import pyarrow as pa

from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.base import DataType
from timetracking_assets.spec.model import ColumnSpec
from timetracking_assets.warehouse.types import ARROW_TYPES


class WidenedError(Exception):
    """A column needs the wider type `data_type`, and is already written or stored with another."""

    def __init__(self, column: str, data_type: DataType) -> None:
        super().__init__(f"{column} is {data_type}")
        self.column, self.data_type = column, data_type


class ColumnTypes:
    """The columns' types by name, of which `known` are those known at the start.

    `stored` are the columns that the table has, `digits` columns of text for numbers that no other
    type holds, `guessed` stored columns whose type no row has shown yet. While `learning`, any type
    that was not declared may change.
    """

    def __init__(
        self,
        resource: Resource,
        known: Mapping[str, DataType],
        stored: Container[str] = (),
        digits: Iterable[str] = (),
        *,
        guessed: Container[str] = (),
        learning: bool = False,
    ) -> None:
        self._resource, self._stored, self._guessed = resource, stored, guessed
        self._learning = learning
        self.by_name: dict[str, DataType] = dict(known)
        self.seen: set[str] = set()
        """Columns that are already written."""
        self.any_text = {*resource.any_text_columns, *digits}
        """Columns of text that take what isn't text as its JSON text."""
        self.mixed: set[str] = set()
        """Decimals, written as numbers here and as text there: no one column for Arrow."""

    def spec(self, name: str) -> ColumnSpec:
        """What is declared of a column, or else its type alone."""
        return self._resource.columns.get(name) or ColumnSpec(data_type=self.by_name[name])

    def is_declared(self, name: str) -> bool:
        """Whether the file declares the column."""
        return name in self._resource.columns

    def is_stored(self, name: str) -> bool:
        """Whether the table has the column."""
        return name in self._stored

    def is_given(self, name: str) -> bool:
        """Whether the column's type is declared or the table's."""
        return self.is_declared(name) or self.is_stored(name)

    def given_inside(self, name: str) -> list[str]:
        """The given columns that are fields of an object of that name."""
        return [n for n in self.by_name if n.startswith(f"{name}__") and self.is_given(n)]

    def may_have_placeholders(self, name: str) -> bool:
        """Whether null may be stored in the column, and its type is given."""
        return (
            self.is_given(name)
            and name not in self._resource.primary_key
            and self.spec(name).nullable
        )

    def may_become_text(self, name: str) -> bool:
        """Whether a value that does not fit makes the column text, instead of being refused."""
        return self.spec(name).on_type_mismatch == "text" or name in self._guessed

    def may_take_digits(self, name: str) -> bool:
        """Whether the column is text that numbers no other type holds may have made of it."""
        is_text = self.by_name.get(name) == "text"
        return is_text and self.is_stored(name) and not self.is_declared(name)

    def is_taken_out(self, name: str) -> bool:
        """Whether a column's values leave the rows as JSON text, for Arrow has no type for them."""
        return self.by_name[name] == "json" or name in self.any_text | self.mixed

    def wire_type(self, name: str) -> pa.DataType:
        """The type that Arrow reads from the rows' JSON, before it becomes the column's."""
        data_type = self.by_name[name]
        if data_type == "timestamp":
            return pa.string() if self.spec(name).format == "iso" else pa.int64()
        return pa.string() if data_type == "date" else ARROW_TYPES[data_type]

    def widen(self, name: str, wider: DataType) -> None:
        """Give a column another type. Raises WidenedError where it can't change any more."""
        if name in self.seen or (self.is_given(name) and not self._learning):
            raise WidenedError(name, wider)
        self.by_name[name] = wider
        if wider == "text":
            self.any_text.add(name)

    def forget(self, name: str) -> None:
        """Drop a column that is none of its own any more, unless its type is given."""
        if not self.is_given(name):
            self.by_name.pop(name, None)
