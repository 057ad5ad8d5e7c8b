"""The fields of a page as columns: which column each field is, and of what type.

Learned page by page: a field is bound to its column for the whole load, an inferred type may only
change before the first table went out. What fits a type is in `values.py`, where the fields are in
`rows.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from timetracking_assets.errors import AnswerError, TypeMismatchError
from timetracking_assets.ingest.columns.rows import (
    UNREADABLE,
    FieldPath,
    Fields,
    HowToParse,
    ParsedAhead,
    RowParser,
    Texts,
    find_path,
    lies_below,
    plain_text,
)
from timetracking_assets.ingest.columns.values import (
    EXACT_INTEGERS,
    TimeFormatError,
    exact_decimals,
    misfits,
    mismatch,
    to_date,
    to_timestamp,
)
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.spec.api import Resource, column_name
from timetracking_assets.spec.base import DataType
from timetracking_assets.spec.model import ColumnSpec
from timetracking_assets.warehouse.types import ARROW_TYPES, inferred_type

_CHANGED = re.compile(r"Column\(/(?P<path>.*?)\) changed from (?P<was>\S+) to (?P<now>\S+) in row")


class WidenedError(Exception):
    """An inferred column is wider than its first pages; the load starts again with `data_type`."""

    def __init__(self, column: str, data_type: DataType) -> None:
        super().__init__(f"{column} is {data_type}")
        self.column, self.data_type = column, data_type


class ColumnReader:
    """Reads pages into columns. `types` are those found so far, `fixed` the columns whose type is
    given, `seen` those that have gone out in a table.

    Raises TypeMismatchError where a page does not fit a given type, WidenedError where it does not
    fit an inferred one that has gone out.
    """

    def __init__(
        self, resource: Resource, types: Mapping[str, DataType], fixed: frozenset[str]
    ) -> None:
        self._resource = resource
        self.types: dict[str, DataType] = dict(types)
        self.seen: set[str] = set()
        self._fixed = fixed
        self._any_text = resource.any_text_columns
        self._paths: dict[FieldPath, str] = {}
        self._parser = RowParser()
        # decimals, written as numbers here and as text there: no one column for Arrow
        self._mixed: set[str] = set()

    @property
    def bound(self) -> set[str]:
        """The columns that are a field of the rows' own."""
        return set(self._paths.values())

    def column(self, name: str) -> ColumnSpec:
        """What is declared of a column, or else its type alone."""
        return self._resource.columns.get(name) or ColumnSpec(data_type=self.types[name])

    def parse_ahead(self, page: Page, pool: Executor) -> ParsedAhead | None:
        """Begin to parse a page that will be read later, as the pages before it were parsed."""
        if not self.seen:
            return None
        return self._parser.ahead(pool, page.rows, self._how_to_parse())

    def read(
        self, page: Page, ahead: ParsedAhead | None = None
    ) -> dict[str, pa.ChunkedArray | pa.Array]:
        """The page's columns, each in the Arrow type of its own."""
        while True:
            try:
                fields, texts = self._parse(page, ahead)
            except UNREADABLE as error:
                self._learn_from(error, page)
                continue
            if not self._learn(fields, page) and not self._rounds(fields, page):
                break
        columns: dict[str, pa.ChunkedArray | pa.Array] = {
            self._paths[path]: self._convert(path, values, page)
            for path, values in fields.items()
            if path in self._paths
        }
        for path, text in texts.items():
            name = self._paths[path]
            if name in self._mixed:
                columns[name] = exact_decimals(path, page.rows)
            else:
                columns[name] = plain_text(text) if name in self._any_text else text
        return columns

    def _parse(self, page: Page, ahead: ParsedAhead | None) -> tuple[Fields, Texts]:
        how = self._how_to_parse()
        return ahead.parsed.result() if ahead and ahead.how == how else self._parser(page.rows, how)

    def _how_to_parse(self) -> HowToParse:
        taken_out = [path for path, name in self._paths.items() if self._is_taken_out(name)]
        types = {p: self._wire_type(n) for p, n in self._paths.items() if p not in taken_out}
        return types, taken_out

    def _is_taken_out(self, name: str) -> bool:
        """Whether a column's values leave the rows as JSON text, for Arrow has no type for them."""
        return self.types[name] == "json" or name in self._any_text | self._mixed

    def _wire_type(self, name: str) -> pa.DataType:
        data_type = self.types[name]
        if data_type == "timestamp":
            return pa.string() if self.column(name).format == "iso" else pa.int64()
        return pa.string() if data_type == "date" else ARROW_TYPES[data_type]

    def _bind(self, path: FieldPath) -> str:
        """The column of the field at `path`, which is its alone."""
        name = column_name("__".join(path))
        other = next((p for p, n in self._paths.items() if n == name and p != path), None)
        if other is not None:
            raise AnswerError(
                f"{self._resource.label}: the fields '{'.'.join(other)}' and "
                f"'{'.'.join(path)}' would both be the column '{name}'"
            )
        self._paths[path] = name
        return name

    def _learn(self, fields: Mapping[FieldPath, pa.ChunkedArray], page: Page) -> bool:
        """Give each new path its column and type; true if the page has to be read again."""
        for path, values in fields.items():
            if not pa.types.is_struct(values.type):
                continue
            name = column_name("__".join(path))
            # an object in a column that is known to be something else
            if name in self.types and name not in self._paths.values():
                self._as_json(path, page)
                return True
        again = False
        for path, values in fields.items():
            kind = values.type
            if path in self._paths or pa.types.is_null(kind) or pa.types.is_struct(kind):
                continue
            if any(lies_below(p, path) for p in self._paths):
                self._as_json(path, page)
                return True
            name = self._bind(path)
            self.types.setdefault(name, inferred_type(kind))
            again |= self._is_taken_out(name) or self._wire_type(name) != kind
        return again

    def _rounds(self, fields: Mapping[FieldPath, pa.ChunkedArray], page: Page) -> bool:
        """Whether a double would lose digits of an integer; the column is then wider."""
        for path, values in fields.items():
            if pa.types.is_floating(values.type) and path in self._paths:
                largest = pc.max(pc.abs(values)).as_py()
                if (largest or 0) >= EXACT_INTEGERS and any(self._misfits(path, page)):
                    self._widen(path, "json", page)
                    return True
        return False

    def _learn_from(self, error: Exception, page: Page) -> None:
        """Widen an inferred column that the page does not fit, or refuse the page."""
        match = _CHANGED.search(str(error))
        path = find_path(match["path"], page.rows) if match else None
        if path is not None and self._holds_decimals(path, page):
            self._mixed.add(self._paths[path])
            return
        if path is not None and not (path in self._paths and self._is_taken_out(self._paths[path])):
            self._as_json(path, page)
            return
        for path, name in [] if match else self._paths.items():
            if self._wire_type(name) in (pa.int64(), ARROW_TYPES["decimal"]):
                example = next(self._misfits(path, page), None)
                if example is not None:
                    self._widen(path, "json" if isinstance(example[0], int) else "double", page)
                    return
        raise AnswerError(
            f"{self._resource.label}: page {page.number} ({page.url}) holds rows that can't be "
            f"read: {error}"
        )

    def _holds_decimals(self, path: FieldPath, page: Page) -> bool:
        name = column_name("__".join(path))
        if self.types.get(name) != "decimal" or name in self._mixed:
            return False
        self._bind(path)
        return not any(self._misfits(path, page))

    def _as_json(self, path: FieldPath, page: Page) -> None:
        """Keep a field that is now an object, now something else, whole."""
        name = column_name("__".join(path))
        stored = [n for n in self._fixed if n.startswith(f"{name}__")]
        if stored and name not in self.types:
            value, row = next(misfits((*path, ""), page.rows, "json", self.column(stored[0])))
            raise mismatch(
                self._resource, stored[0], self.types[stored[0]], value, row, page.number
            )
        # only now: a page that is refused is read once more, to say which row is wrong
        self._bind(path)
        inner = [p for p in self._paths if lies_below(p, path)]
        if any(self._paths[p] in self.seen for p in inner):
            raise WidenedError(name, "json")
        for p in inner:
            if (bound := self._paths.pop(p)) not in self._fixed:
                self.types.pop(bound, None)
        if name not in self._any_text and self.types.get(name) != "json":
            self._widen(path, "json", page)

    def _widen(self, path: FieldPath, wider: DataType, page: Page) -> None:
        name = self._paths[path]
        if name in self._fixed:
            raise self._mismatch(path, page)
        if name in self.seen:
            raise WidenedError(name, wider)
        self.types[name] = wider

    def _convert(self, path: FieldPath, values: pa.ChunkedArray, page: Page) -> pa.ChunkedArray:
        name = self._paths[path]
        data_type, column = self.types[name], self.column(name)
        if pa.types.is_null(values.type):
            return pc.cast(values, ARROW_TYPES[data_type])
        try:
            if data_type == "timestamp":
                return to_timestamp(values, column.format, column.timezone)
            return to_date(values) if data_type == "date" else values
        except TimeFormatError:
            pass
        raise self._mismatch(path, page)

    def _misfits(self, path: FieldPath, page: Page) -> Iterator[tuple[Any, dict[str, Any]]]:
        name = self._paths[path]
        return misfits(path, page.rows, self.types[name], self.column(name))

    def _mismatch(self, path: FieldPath, page: Page) -> TypeMismatchError | WidenedError:
        name = self._paths[path]
        if self.column(name).on_type_mismatch == "text":
            return WidenedError(name, "text")
        value, row = next(self._misfits(path, page), ("?", {}))
        return mismatch(self._resource, name, self.types[name], value, row, page.number)
