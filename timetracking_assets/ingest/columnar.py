"""A page of JSON rows as an Arrow table whose types do not change from page to page.

The types of declared columns, and of those that the table already has, are given; others are
inferred once and kept. Objects are flattened with `__`, lists stay JSON text, and text stays text
even when it looks like a time (Arrow's own inference would make it a timestamp). A value that does
not fit is refused: nothing is rounded or nulled. How text becomes a time is in `times.py`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from timetracking_assets.ingest.api import Resource, column_name
from timetracking_assets.ingest.errors import AnswerError, TypeMismatchError
from timetracking_assets.ingest.json_columns import take_json_columns
from timetracking_assets.ingest.pages import Page
from timetracking_assets.ingest.spec import ColumnSpec, DataType
from timetracking_assets.ingest.times import TimeFormatError, to_date, to_timestamp

FieldPath = tuple[str, ...]

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "decimal": pa.decimal128(38, 9),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "json": pa.string(),
}
"""dlt's name of a type -> the one Arrow type in which its values travel."""

_CHANGED = re.compile(r"Column\(/(?P<path>.*?)\) changed from (?P<was>\S+) to (?P<now>\S+) in row")
_EXACT_INTEGERS = 2**53


class WidenedError(Exception):
    """An inferred column is wider than its first pages; the load starts again with `data_type`."""

    def __init__(self, column: str, data_type: DataType) -> None:
        super().__init__(f"{column} is {data_type}")
        self.column, self.data_type = column, data_type


class PageTyper:
    """Turns the pages of one load into tables. Call it page by page, in any order.

    `known` holds the types of the columns that the table already has, `inferred` those that an
    abandoned first try of this load has found. Raises TypeMismatchError, AnswerError for a row
    without its key, and WidenedError where a column of this load turns out to need another type.
    """

    def __init__(
        self,
        resource: Resource,
        known: Mapping[str, DataType],
        inferred: Mapping[str, DataType] | None = None,
    ) -> None:
        self._resource = resource
        declared = {name: spec.data_type for name, spec in resource.columns.items()}
        self.types: dict[str, DataType] = {**(inferred or {}), **known, **declared}
        self._fixed = set(known) | set(declared)
        self._paths: dict[FieldPath, str] = {}
        self._seen: set[str] = set()

    def __call__(self, page: Page) -> pa.Table:
        """The page as a table: one column per known or found field, rows in the page's order."""
        columns = self._read(page)
        for name, value in page.from_parent.items():
            column = column_name(name)
            data_type = self.types.setdefault(column, "bigint" if type(value) is int else "text")
            value = str(value) if data_type in ("text", "json") else value
            scalar = pa.scalar(value, type=ARROW_TYPES[data_type])
            columns[column] = pa.repeat(scalar, len(page.rows))
        self._seen |= columns.keys()
        self._check_nulls(columns, page)
        schema = self._schema(name for name in self.types if name in self._seen)
        arrays = [columns.get(f.name, pa.nulls(len(page.rows), f.type)) for f in schema]
        return pa.Table.from_arrays(arrays, schema=schema)

    def empty_table(self) -> pa.Table:
        """A table without rows, of the declared and known columns."""
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

    def _read(self, page: Page) -> dict[str, pa.ChunkedArray | pa.Array]:
        while True:
            json_paths = [path for path, name in self._paths.items() if self.types[name] == "json"]
            rows, json_columns = take_json_columns(page.rows, json_paths)
            try:
                table = self._parse(rows)
            except pa.ArrowInvalid as error:
                self._learn_from(error, page)
                continue
            leaves = dict(_leaves(table))
            if not self._learn(leaves):
                break
        columns: dict[str, pa.ChunkedArray | pa.Array] = {
            self._paths[path]: self._convert(self._paths[path], values, page)
            for path, values in leaves.items()
            if path in self._paths
        }
        columns |= {self._paths[path]: values for path, values in json_columns.items()}
        return columns

    def _parse(self, rows: list[msgspec.Raw] | list[bytes]) -> pa.Table:
        text = b"\n".join(bytes(row).replace(b"\n", b" ") for row in rows)
        return pj.read_json(
            io.BytesIO(text),
            # one block: types are inferred from the whole page, not from its first megabyte
            read_options=pj.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=pj.ParseOptions(
                explicit_schema=self._explicit_schema(), unexpected_field_behavior="infer"
            ),
        )

    def _explicit_schema(self) -> pa.Schema | None:
        tree: dict[str, Any] = {}
        for path, name in self._paths.items():
            if self.types[name] != "json":
                level = tree
                for part in path[:-1]:
                    level = level.setdefault(part, {})
                level[path[-1]] = self._wire_type(name)
        return pa.schema(_fields(tree)) if tree else None

    def _wire_type(self, name: str) -> pa.DataType:
        data_type = self.types[name]
        if data_type == "timestamp":
            return pa.string() if self._column(name).format == "iso" else pa.int64()
        return pa.string() if data_type == "date" else ARROW_TYPES[data_type]

    def _column(self, name: str) -> ColumnSpec:
        return self._resource.columns.get(name) or ColumnSpec(data_type=self.types[name])

    def _learn(self, leaves: Mapping[FieldPath, pa.ChunkedArray]) -> bool:
        """Give each new path its column and type; true if the page has to be read again."""
        again = False
        for path, values in leaves.items():
            if path in self._paths or pa.types.is_null(values.type):
                continue
            name = column_name("__".join(path))
            if name in self._paths.values():
                other = next(p for p, n in self._paths.items() if n == name)
                raise AnswerError(
                    f"{self._resource.label}: the fields '{'.'.join(other)}' and "
                    f"'{'.'.join(path)}' would both be the column '{name}'"
                )
            self.types.setdefault(name, _inferred_type(values))
            self._paths[path] = name
            again |= self.types[name] == "json" or self._wire_type(name) != values.type
        return again

    def _learn_from(self, error: pa.ArrowInvalid, page: Page) -> None:
        """Widen an inferred column that the page does not fit, or refuse the page."""
        match = _CHANGED.search(str(error))
        if match:
            path = tuple(match["path"].split("/[]")[0].split("/"))
            name = column_name("__".join(path))
            if self.types.get(name) == "json" and path not in self._paths:
                self._paths[path] = name
                return
            self._paths.setdefault(path, name)
            if name in self._fixed:
                raise self._mismatch(name, page)
            if name in self._seen:
                raise WidenedError(name, "json")
            self.types[name] = "json"
            return
        for name in self._paths.values():
            example = self._misfit(name, page) if self._wire_type(name) == pa.int64() else None
            if example is None:
                continue
            if name in self._fixed:
                raise self._mismatch(name, page)
            wider: DataType = "json" if isinstance(example, int) else "double"
            if name in self._seen:
                raise WidenedError(name, wider)
            self.types[name] = wider
            return
        raise AnswerError(
            f"{self._resource.label}: page {page.number} ({page.url}) holds rows that can't be "
            f"read: {error}"
        )

    def _convert(self, name: str, values: pa.ChunkedArray, page: Page) -> pa.ChunkedArray:
        data_type, column = self.types[name], self._column(name)
        if pa.types.is_null(values.type):
            return pc.cast(values, ARROW_TYPES[data_type])
        try:
            if data_type == "timestamp":
                return to_timestamp(values, column.format, column.timezone)
            return to_date(values) if data_type == "date" else values
        except TimeFormatError:
            pass
        raise self._mismatch(name, page)

    def _misfit(self, name: str, page: Page) -> Any:
        return next((value for value, _ in self._misfits(name, page)), None)

    def _misfits(self, name: str, page: Page) -> Iterator[tuple[Any, dict[str, Any]]]:
        """The values of a column that don't fit it, with their rows. Only for error messages."""
        path = next(p for p, n in self._paths.items() if n == name)
        for raw in page.rows:
            row = value = msgspec.json.decode(raw)
            for part in path:
                value = value.get(part) if isinstance(value, dict) else value
            if value is not None and not _fits(value, self.types[name], self._column(name)):
                yield value, row

    def _mismatch(self, name: str, page: Page) -> TypeMismatchError:
        data_type = self.types[name]
        value, row = next(self._misfits(name, page), ("?", {}))
        key = {k: v for k, v in row.items() if column_name(k) in self._resource.primary_key}
        shown = msgspec.json.encode(value).decode()[:80]
        return TypeMismatchError(
            f"{self._resource.label}: column '{name}' is {data_type}, but a row holds {shown} "
            f"(row {msgspec.json.encode(key).decode()}, page {page.number}). Nothing was loaded. "
            f"If the API means it, declare the type under `columns: {name}:`."
        )

    def _check_nulls(self, columns: Mapping[str, pa.ChunkedArray | pa.Array], page: Page) -> None:
        required = [n for n, spec in self._resource.columns.items() if not spec.nullable]
        for name in dict.fromkeys([*self._resource.primary_key, *required]):
            if name not in columns or columns[name].null_count:
                what = "its key" if name in self._resource.primary_key else "a value that it needs"
                found = ", ".join(columns)
                raise AnswerError(
                    f"{self._resource.label}: page {page.number} ({page.url}) has a row without "
                    f"{what} '{name}'. Its columns are: {found}."
                )


def _leaves(table: pa.Table) -> Iterator[tuple[FieldPath, pa.ChunkedArray]]:
    for name in table.column_names:
        yield from _leaves_of((name,), table[name])


def _leaves_of(
    path: FieldPath, values: pa.ChunkedArray
) -> Iterator[tuple[FieldPath, pa.ChunkedArray]]:
    if pa.types.is_struct(values.type):
        for child, column in zip(values.type, values.flatten(), strict=True):
            yield from _leaves_of((*path, child.name), column)
    else:
        yield path, values


def _fields(tree: Mapping[str, Any]) -> list[pa.Field]:
    return [
        pa.field(name, pa.struct(_fields(node)) if isinstance(node, dict) else node)
        for name, node in tree.items()
    ]


def _inferred_type(values: pa.ChunkedArray) -> DataType:
    kind = values.type
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind):
        return "bigint"
    if pa.types.is_floating(kind):
        # an integer of more than 64 bits is inferred as a double that has lost its last digits
        exact = pc.max(pc.abs(values)).as_py() < _EXACT_INTEGERS
        return "double" if exact else "json"
    return "json" if pa.types.is_list(kind) else "text"


def _fits(value: Any, data_type: DataType, column: ColumnSpec) -> bool:
    if data_type == "timestamp" and column.format != "iso":
        return type(value) is int
    if data_type in ("timestamp", "date"):
        try:
            text = pa.chunked_array([[value]], type=pa.string())
            to_date(text) if data_type == "date" else to_timestamp(text, "iso", column.timezone)
        except (TimeFormatError, pa.ArrowInvalid, TypeError):
            return False
        return True
    if data_type == "bigint":
        return type(value) is int and -(2**63) <= value < 2**63
    kinds: dict[str, tuple[type, ...]] = {
        "text": (str,),
        "bool": (bool,),
        "double": (int, float),
        "decimal": (int, float),
    }
    return type(value) in kinds.get(data_type, (object,))
