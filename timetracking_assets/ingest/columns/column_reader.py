"""The fields of a page as columns: which column each field is, and which type its values need.

Learned page by page: a field is bound to its column for the whole load. What types there are, and
which may still change, is in `column_types.py`, what fits a type in `values.py`, where the fields
are in `rows.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from timetracking_assets.errors import AnswerError
from timetracking_assets.ingest.columns.column_types import ColumnTypes, WidenedError
from timetracking_assets.ingest.columns.json_columns import plain_text
from timetracking_assets.ingest.columns.names import ColumnNames, FieldPath
from timetracking_assets.ingest.columns.placeholders import (
    OBJECT,
    is_placeholder,
    without_placeholders,
)
from timetracking_assets.ingest.columns.row_values import (
    find_oversized,
    find_path,
    leaf_paths,
    values_at,
    with_last_values,
)
from timetracking_assets.ingest.columns.rows import (
    UNREADABLE,
    Fields,
    HowToParse,
    ParsedAhead,
    RowParser,
    Texts,
    lies_below,
)
from timetracking_assets.ingest.columns.values import (
    EXACT_INTEGERS,
    TimeFormatError,
    exact_decimals,
    misfits,
    mismatch,
    to_date,
    to_timestamp,
    wider_number,
)
from timetracking_assets.ingest.pages.page import Page
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.types import ARROW_TYPES, inferred_type

_REPEATED = re.compile(r"Column\(/.*\) was specified twice in row")
# most rows without such a number lack even this
_MAYBE_TINY = re.compile(rb"[eE]-")
_TINY = re.compile(rb"[:,\[\s]-?[0-9]+(?:\.[0-9]+)?[eE]-[0-9]")
_CHANGED = re.compile(r"Column\(/(?P<path>.*?)\) changed from (?P<was>\S+) to (?P<now>\S+) in row")


class _RepeatedNameError(Exception):
    """An object of the page has two members of the same name."""


class _PlaceholderError(Exception):
    """The field at `path`, of the type `kind`, holds placeholders for no value."""

    def __init__(self, path: FieldPath, kind: str) -> None:
        super().__init__()
        self.path, self.kind = path, kind


class _MisfitError(Exception):
    """The field at `path` holds a value that is not of its column's type."""

    def __init__(self, path: FieldPath) -> None:
        super().__init__()
        self.path = path


class ColumnReader:
    """Reads pages into columns of `types`, whose names are in `names`.

    Raises TypeMismatchError where a page does not fit a declared type, WidenedError where it does
    not fit another one that can't change any more.
    """

    def __init__(self, resource: Resource, names: ColumnNames, types: ColumnTypes) -> None:
        self._resource, self._names, self.types = resource, names, types
        self.placeholders: Counter[str] = Counter()
        """How many values of a column came as a placeholder, and are null."""
        self._paths: dict[FieldPath, str] = {}
        self._parser = RowParser()

    @property
    def bound(self) -> set[str]:
        """The columns that are a field of the rows' own."""
        return set(self._paths.values())

    def parse_ahead(self, page: Page, pool: Executor) -> ParsedAhead | None:
        """Begin to parse a page that will be read later, as the pages before it were parsed."""
        if not self.types.seen:
            return None
        return self._parser.ahead(pool, page.rows, self._how_to_parse())

    def read(
        self, page: Page, ahead: ParsedAhead | None = None
    ) -> dict[str, pa.ChunkedArray | pa.Array]:
        """The page's columns, each in the Arrow type of its own."""
        counts: Counter[str] = Counter()
        while True:
            try:
                columns = self._read(page, ahead)
                break
            except _RepeatedNameError:
                rows = [with_last_values(row) for row in page.rows]
            except _PlaceholderError as met:
                rows, replaced = without_placeholders(
                    page.rows, {**self._kinds_with_placeholders(), met.path: met.kind}
                )
                for path, count in replaced.items():
                    counts[self._names.expected(path)] += count
            page, ahead = replace(page, rows=rows), None
        self.placeholders += counts
        return columns

    def _kinds_with_placeholders(self) -> dict[FieldPath, str]:
        return {
            path: self.types.by_name[name]
            for path, name in self._paths.items()
            if self.types.may_have_placeholders(name)
            and self.types.spec(name).on_type_mismatch == "refuse"
        }

    def _read(self, page: Page, ahead: ParsedAhead | None) -> dict[str, pa.ChunkedArray | pa.Array]:
        while True:
            try:
                fields, texts = self._parse(page, ahead)
            except UNREADABLE as error:
                self._learn_from(error, page)
                continue
            if self._learn(fields, page) or self._rounds(fields, page):
                continue
            try:
                columns: dict[str, pa.ChunkedArray | pa.Array] = {
                    self._paths[path]: self._convert(path, values)
                    for path, values in fields.items()
                    if path in self._paths
                }
                break
            except _MisfitError as misfit:
                path = misfit.path
            self._refuse_or_widen(path, page)
        for path, text in texts.items():
            name = self._paths[path]
            if name in self.types.mixed:
                columns[name] = exact_decimals(path, page.rows)
            else:
                columns[name] = plain_text(text) if name in self.types.any_text else text
        return columns

    def _parse(self, page: Page, ahead: ParsedAhead | None) -> tuple[Fields, Texts]:
        how = self._how_to_parse()
        return ahead.parsed.result() if ahead and ahead.how == how else self._parser(page.rows, how)

    def _how_to_parse(self) -> HowToParse:
        taken_out = [path for path, name in self._paths.items() if self.types.is_taken_out(name)]
        types = {p: self.types.wire_type(n) for p, n in self._paths.items() if p not in taken_out}
        return types, taken_out

    def _bind(self, path: FieldPath, page: Page) -> str:
        """The column of the field at `path`, which is its alone."""
        if path not in self._names:
            # all at once: who gets a name must not depend on who is looked at first
            self._names.assign({path, *leaf_paths(page.rows)})
        self._paths[path] = self._names.expected(path)
        return self._paths[path]

    def _learn(self, fields: Mapping[FieldPath, pa.ChunkedArray], page: Page) -> bool:
        """Give each new path its column and type; true if the page has to be read again."""
        for path, values in fields.items():
            if not pa.types.is_struct(values.type):
                continue
            name = self._names.expected(path)
            # an object in a column that is known to be something else
            if name in self.types.by_name and name not in self._paths.values():
                self._as_json(path, page)
                return True
        again = False
        new = [
            path
            for path, values in fields.items()
            if path not in self._paths
            and not pa.types.is_null(values.type)
            and not pa.types.is_struct(values.type)
        ]
        for path in new:
            if self._replaces_object(path, page):
                raise _PlaceholderError(path, OBJECT)
        self._names.assign(new)
        for path in new:
            kind = fields[path].type
            if any(lies_below(p, path) for p in self._paths):
                self._as_json(path, page)
                return True
            name = self._bind(path, page)
            self.types.by_name.setdefault(name, inferred_type(kind))
            again |= self.types.is_taken_out(name) or self.types.wire_type(name) != kind
        return again

    def _replaces_object(self, path: FieldPath, page: Page) -> bool:
        """Whether a page has only placeholders where others have an object with given columns."""
        name = self._names.expected(path)
        inside = self.types.given_inside(name)
        if name in self.types.by_name or not inside:
            return False
        values = [value for value, *_ in values_at(path, page.rows) if value is not None]
        may_be_null = all(map(self.types.may_have_placeholders, inside))
        return may_be_null and all(is_placeholder(value, OBJECT) for value in values)

    def _rounds(self, fields: Mapping[FieldPath, pa.ChunkedArray], page: Page) -> bool:
        """Whether a double can't hold a number of the page; the column is then wider."""
        # once, however many columns have zeros
        holds_tiny = cache(lambda: _holds_tiny(page))
        for path, values in fields.items():
            if pa.types.is_floating(values.type) and path in self._paths:
                largest = pc.max(pc.abs(values)).as_py() or 0
                # a number that is too small comes as zero
                tiny = pc.any(pc.equal(values, 0)).as_py() and holds_tiny()
                if (largest >= EXACT_INTEGERS or tiny) and any(self._misfits(path, page)):
                    self._widen_number(path, page)
                    return True
        return False

    def _learn_from(self, error: Exception, page: Page) -> None:
        """Widen an inferred column that the page does not fit, or refuse the page."""
        if _REPEATED.search(str(error)):
            raise _RepeatedNameError from None
        match = _CHANGED.search(str(error))
        path = find_path(match["path"], page.rows) if match else None
        if path is not None and self._holds_decimals(path, page):
            self.types.mixed.add(self._paths[path])
            return
        if path is not None and not (
            path in self._paths and self.types.is_taken_out(self._paths[path])
        ):
            self._as_json(path, page)
            return
        for path, name in [] if match else self._paths.items():
            is_number = self.types.wire_type(name) in (pa.int64(), ARROW_TYPES["decimal"])
            if is_number and any(self._misfits(path, page)):
                self._widen_number(path, page)
                return
        if self._take_out_oversized(page):
            return
        raise AnswerError(
            f"{self._resource.label}: page {page.number} ({page.url}) holds rows that can't be "
            f"read: {error}"
        ) from None

    def _take_out_oversized(self, page: Page) -> bool:
        """Whether there was a field left with a number that is too large for Arrow's reader."""
        try:
            path = find_oversized(page.rows)
        except ValueError:
            return False
        if path is None or (path in self._paths and self.types.is_taken_out(self._paths[path])):
            return False
        numbers = all(type(v) in (int, Decimal, type(None)) for v, *_ in values_at(path, page.rows))
        if not numbers:
            self._as_json(path, page)
        else:
            self.types.by_name.setdefault(self._bind(path, page), "double")
            self._widen_number(path, page)
        return True

    def _holds_decimals(self, path: FieldPath, page: Page) -> bool:
        name = self._names.expected(path)
        if self.types.by_name.get(name) != "decimal" or name in self.types.mixed:
            return False
        self._bind(path, page)
        return not any(self._misfits(path, page))

    def _as_json(self, path: FieldPath, page: Page) -> None:
        """Keep a field that is now an object, now something else, whole."""
        name = self._names.expected(path)
        inside = self.types.given_inside(name)
        if inside and name not in self.types.by_name:
            others = list(misfits((*path, ""), page.rows, "json", self.types.spec(inside[0])))
            may_be_null = all(map(self.types.may_have_placeholders, inside))
            if may_be_null and any(is_placeholder(value, OBJECT) for value, _ in others):
                raise _PlaceholderError(path, OBJECT)
            value, row = others[0]
            raise mismatch(
                self._resource, inside[0], self.types.by_name[inside[0]], value, row, page.number
            )
        # only now: a page that is refused is read once more, to say which row is wrong
        name = self._bind(path, page)
        inner = [p for p in self._paths if lies_below(p, path)]
        if any(self._paths[p] in self.types.seen for p in inner):
            raise WidenedError(name, "json")
        for p in inner:
            self.types.forget(self._paths.pop(p))
        if name in self.types.any_text or self.types.by_name.get(name) == "json":
            return
        if self._takes_digits(path, page):
            self.types.any_text.add(name)
        elif self.types.is_given(name):
            self._refuse_or_widen(path, page)
        else:
            self.types.widen(name, "json")

    def _takes_digits(self, path: FieldPath, page: Page) -> bool:
        """Whether the column is stored as text, was not declared, and the page has numbers for it:
        text is what numbers become that no other type holds."""
        name = self._paths[path]
        return self.types.may_take_digits(name) and all(
            type(value) in (int, Decimal) for value, _ in self._misfits(path, page)
        )

    def _widen_number(self, path: FieldPath, page: Page) -> None:
        name = self._paths[path]
        values = [value for value, *_ in values_at(path, page.rows) if value is not None]
        wider = wider_number(self.types.by_name[name], values)
        if self.types.is_declared(name) or (wider == "json" and self.types.is_stored(name)):
            self._refuse_or_widen(path, page)
        else:
            self.types.widen(name, wider)

    def _refuse_or_widen(self, path: FieldPath, page: Page) -> None:
        """Make a column text that may become it, or refuse the page."""
        name, kind = self._paths[path], self.types.by_name[self._paths[path]]
        as_text = self.types.may_become_text(name)
        if self.types.may_have_placeholders(name):
            placeholders = [is_placeholder(value, kind) for value, _ in self._misfits(path, page)]
            # a column that is to be text keeps each value as it is
            if any(placeholders) and (all(placeholders) or not as_text):
                raise _PlaceholderError(path, kind)
        if as_text:
            return self.types.widen(name, "text")
        value, row = next(self._misfits(path, page), ("?", {}))
        raise mismatch(self._resource, name, kind, value, row, page.number)

    def _convert(self, path: FieldPath, values: pa.ChunkedArray) -> pa.ChunkedArray:
        name = self._paths[path]
        data_type, column = self.types.by_name[name], self.types.spec(name)
        if pa.types.is_null(values.type):
            return pc.cast(values, ARROW_TYPES[data_type])
        try:
            if data_type == "timestamp":
                return to_timestamp(values, column.format, column.timezone)
            return to_date(values) if data_type == "date" else values
        except TimeFormatError:
            raise _MisfitError(path) from None

    def _misfits(self, path: FieldPath, page: Page) -> Iterator[tuple[Any, dict[str, Any]]]:
        name = self._paths[path]
        return misfits(path, page.rows, self.types.by_name[name], self.types.spec(name))


def _holds_tiny(page: Page) -> bool:
    """Whether a row may hold a number with a negative exponent."""
    return any(_MAYBE_TINY.search(row) and _TINY.search(row) for row in page.rows)
