"""A page of JSON rows as an Arrow table whose types do not change from page to page.

The types of declared columns, and of those that the table already has, are given; others are
inferred once and kept. Objects are flattened with `__`, lists stay JSON text, and text stays text
even when it looks like a time (Arrow's own inference would make it a timestamp). A value that does
not fit is refused: nothing is rounded, and nothing but a placeholder for no value becomes null. How
fields become columns is in `column_reader.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from typing import Any

import pyarrow as pa

from timetracking_assets.errors import AnswerError, TypeMismatchError
from timetracking_assets.ingest.columns.column_reader import ColumnReader
from timetracking_assets.ingest.columns.column_types import ColumnTypes, WidenedError
from timetracking_assets.ingest.columns.names import ColumnNames, FieldPath
from timetracking_assets.ingest.columns.row_values import first_no_object
from timetracking_assets.ingest.columns.rows import ParsedAhead
from timetracking_assets.ingest.columns.values import mismatch, parent_scalar, parent_type
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Resource, column_name
from timetracking_assets.spec.base import DataType
from timetracking_assets.warehouse.types import ARROW_TYPES

__all__ = ["PageTyper", "WidenedError"]

_BATCH_ROWS = 8_000
_PARSERS = 2
"""Batches that are parsed ahead: Arrow's reader takes one thread each."""


class PageTyper:
    """Turns the pages of one load into tables: all of them, or page by page, in any order.

    `known` holds the types of the columns that the table has, `fields` the fields of those whose
    name is not just the field's, `inferred` the types that `learn` gave, `guessed` the columns
    whose known type no row has shown yet.
    Raises TypeMismatchError, AnswerError for a row without its key, and WidenedError where a column
    turns out to need another type.
    """

    def __init__(
        self,
        resource: Resource,
        known: Mapping[str, DataType],
        inferred: Mapping[str, DataType] | None = None,
        fields: Mapping[str, FieldPath] | None = None,
        guessed: Collection[str] = (),
    ) -> None:
        self._resource, self._known, self._inferred = resource, known, inferred or {}
        self._fields, self._guessed = fields or {}, guessed
        self.names = self._new_names()
        self._reader = self._new_reader(self.names)

    def _new_names(self) -> ColumnNames:
        parent = self._resource.parent
        from_parent = self._resource.include_from_parent if parent else ()
        of_parent = [column_name(f"_{parent.name}_{f}") for f in from_parent] if parent else []
        return ColumnNames(self._resource, self._fields, of_parent)

    def _new_reader(self, names: ColumnNames, *, learning: bool = False) -> ColumnReader:
        declared = {name: spec.data_type for name, spec in self._resource.columns.items()}
        text = {name: kind for name, kind in self._inferred.items() if kind == "text"}
        types = ColumnTypes(
            self._resource,
            {**self._inferred, **self._known, **declared, **text},
            stored=self._known,
            digits=text,
            guessed=self._guessed,
            learning=learning,
        )
        return ColumnReader(self._resource, names, types)

    def learn(self, pages: Iterable[Page]) -> dict[str, DataType]:
        """The types that all pages fit, as far as they are not what each page shows by itself."""
        reader = self._new_reader(self._new_names(), learning=True)
        for batch in self._batches(pages):
            try:
                reader.read(_joined(batch))
            except (AnswerError, TypeMismatchError):
                for page in batch:
                    reader.read(page)
        given = {**self._known, **{n: spec.data_type for n, spec in self._resource.columns.items()}}
        return {
            name: data_type
            for name, data_type in reader.types.by_name.items()
            if given.get(name) != data_type
            and (data_type != "text" or name in reader.types.any_text)
        }

    @property
    def types(self) -> dict[str, DataType]:
        """The types of all columns that are known by now."""
        return self._reader.types.by_name

    @property
    def placeholders(self) -> dict[str, int]:
        """How many values of each column came as a placeholder of another type, and are null."""
        return dict(self._reader.placeholders)

    def tables(self, pages: Iterable[Page]) -> Iterator[tuple[pa.Table, Window | None]]:
        """The pages as tables, each with the window that was requested.

        Neighbouring pages are one table: each costs some milliseconds, whatever its size. While
        one becomes a table, the next are parsed in threads of their own.
        """
        waiting: deque[tuple[list[Page], ParsedAhead | None]] = deque()
        with ThreadPoolExecutor(_PARSERS, "parse") as pool:
            for batch in self._batches(pages):
                waiting.append((batch, self._reader.parse_ahead(_joined(batch), pool)))
                if len(waiting) > _PARSERS or not waiting[0][1]:
                    batch, ahead = waiting.popleft()
                    yield self._named(batch, ahead), batch[0].window
            for batch, ahead in waiting:
                yield self._named(batch, ahead), batch[0].window

    def _named(self, pages: Sequence[Page], ahead: ParsedAhead | None) -> pa.Table:
        """The pages as one table; an error names the page that it is in."""
        try:
            return self._table(pages, ahead)
        except (AnswerError, TypeMismatchError):
            return pa.concat_tables([self(page) for page in pages], promote_options="default")

    def __call__(self, page: Page) -> pa.Table:
        """The page as a table: one column per known or new field, rows in the page's order."""
        self._refuse_no_objects(page)
        return self._table([page])

    def _table(self, pages: Sequence[Page], ahead: ParsedAhead | None = None) -> pa.Table:
        page = _joined(pages)
        columns = self._reader.read(page, ahead)
        for field in dict.fromkeys(field for p in pages for field in p.from_parent):
            name = column_name(field)
            if name in self._reader.bound:
                raise AnswerError(
                    f"{self._resource.label}: its rows have a field for the column '{name}' of "
                    "their own; it can't come from the parent, too"
                )
            values = [p.from_parent.get(field) for p in pages]
            value = next((v for v in values if v is not None), None)
            if value is not None or name in self.types:
                self.types.setdefault(name, parent_type(value))
                columns[name] = pa.chunked_array(
                    [self._parent_column(name, v, p) for v, p in zip(values, pages, strict=True)]
                )
        self._reader.types.seen |= columns.keys()
        self._check_nulls(columns, page)
        schema = self._schema(name for name in self.types if name in self._reader.types.seen)
        arrays = [columns.get(f.name, pa.nulls(len(page.rows), f.type)) for f in schema]
        return pa.Table.from_arrays(arrays, schema=schema)

    def _batches(self, pages: Iterable[Page]) -> Iterator[list[Page]]:
        """Neighbouring pages of one window, about `_BATCH_ROWS` rows together."""
        batch: list[Page] = []
        for page in pages:
            self._refuse_no_objects(page)
            if batch and batch[0].window != page.window:
                yield batch
                batch = []
            batch.append(page)
            if sum(len(p.rows) for p in batch) >= _BATCH_ROWS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _refuse_no_objects(self, page: Page) -> None:
        """Raise AnswerError for a row that is no object: Arrow's reader crashes on some of them."""
        index = first_no_object(page.rows)
        if index is not None:
            text = bytes(page.rows[index])[:80].decode(errors="replace")
            raise AnswerError(
                f"{self._resource.label}: page {page.number} ({page.url}) holds a row that is no "
                f"object: {text} (row {index + 1}). Check `data_selector`."
            )

    def empty_table(self) -> pa.Table:
        """A table without rows, of the declared and known columns.

        Raises AnswerError where no column is known.
        """
        for name in self._resource.primary_key:
            # the narrowest type: the first rows widen it, if they must
            self.types.setdefault(name, "bigint")
        if not self.types:
            raise AnswerError(
                f"{self._resource.label}: the answer has no rows, and nothing says what columns "
                "the table has. Declare `columns: <name>: {data_type: ...}`, so that an empty "
                "table can be made."
            )
        return self._schema(self.types).empty_table()

    def _schema(self, names: Iterable[str]) -> pa.Schema:
        return pa.schema(
            # a key that Arrow calls nullable would make dlt write every Parquet file twice
            pa.field(
                name,
                ARROW_TYPES[self.types[name]],
                nullable=name not in self._resource.primary_key,
            )
            for name in names
        )

    def _parent_column(self, name: str, value: Any, page: Page) -> pa.Array:
        kind = self.types[name]
        try:
            scalar = parent_scalar(value, kind, ARROW_TYPES[kind], self._reader.types.spec(name))
        except (ValueError, TypeError, OverflowError):
            scalar = None
        if scalar is None:
            raise mismatch(self._resource, name, kind, value, {}, page.number)
        return pa.repeat(scalar, len(page.rows))

    def _check_nulls(self, columns: Mapping[str, pa.ChunkedArray | pa.Array], page: Page) -> None:
        required = [n for n, spec in self._resource.columns.items() if not spec.nullable]
        for name in dict.fromkeys([*self._resource.primary_key, *required]):
            if name not in columns or columns[name].null_count:
                what = "its key" if name in self._resource.primary_key else "a value that it needs"
                names = ", ".join(columns)
                raise AnswerError(
                    f"{self._resource.label}: page {page.number} ({page.url}) has a row without "
                    f"{what} '{name}'. Its columns are: {names}."
                )


def _joined(pages: Sequence[Page]) -> Page:
    first = pages[0]
    if len(pages) == 1:
        return first
    return replace(first, rows=list(chain.from_iterable(page.rows for page in pages)))
