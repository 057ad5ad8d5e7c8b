"""Fingerprints of rows: whether two relations, or one relation at two times, hold the same.

A fingerprint is the number of rows and the sum of their hashes, so the order of rows is no matter.
What follows from it is decided in `build.py` and `last_build.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

from timetracking_assets.hours.tables import SCHEMA, TABLES
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted

HASHES = {"duckdb": "hash", "postgres": "hashtextextended"}
"""SQL dialects that the model is written for, and the function by which rows are compared."""
_NO_TABLE = "no table of these columns"


def fingerprints(
    relation: str, columns: Iterable[str], dialect: str, parts: Mapping[str, str] | None = None
) -> str:
    """A SELECT of `n` and `fingerprint` for each value of `parts` (name -> SQL), or of all rows.

    Without any rows it gives none.
    """
    names = [quoted(column) for column in columns]
    if dialect == "duckdb":
        value = f"hash({', '.join(names)})"
    else:
        texts = ", ".join(f"coalesce(CAST({name} AS VARCHAR), chr(30))" for name in names)
        value = f"{HASHES[dialect]}(concat_ws(chr(31), {texts}), 0)"
    selected = [f"{sql} AS {quoted(name)}" for name, sql in (parts or {}).items()]
    grouped = f" GROUP BY {', '.join(parts.values())}" if parts else " HAVING count(*) > 0"
    return (
        f"SELECT {', '.join([*selected, 'count(*) AS n', f'sum({value}) AS fingerprint'])} "
        f"FROM {relation}{grouped}"
    )


def digest(*texts: str) -> str:
    """One text for several: equal if they are."""
    return hashlib.sha256("\x1e".join(texts).encode()).hexdigest()


class Contents:
    """The fingerprints of raw tables and of the model's, each computed once in a transaction.

    Each is a text that is equal if the rows are.
    """

    def __init__(self, opened: OpenWarehouse) -> None:
        self._opened = opened
        self._raw: dict[tuple[str, str, tuple[str, ...]], str] = {}
        self._tables: dict[tuple[str, str | None], tuple[int, str]] = {}

    def of_raw(self, api: str, resource: str, columns: Sequence[str]) -> str:
        """Of these columns of a raw table; the warehouse has them all."""
        key = (api, resource, tuple(columns))
        if key not in self._raw:
            self._raw[key] = self._read(quoted(api, resource), columns)[1] if columns else ""
        return self._raw[key]

    def of_table(self, table: str, source: str | None = None) -> str:
        """Of a table of the model, or of its rows of one source."""
        return self._table(table, source)[1]

    def rows(self, table: str, source: str | None = None) -> int:
        """How many rows it has."""
        return self._table(table, source)[0]

    def changed(self, table: str, but: Collection[str] = ()) -> None:
        """Rows of a table of the model have been written, not those of the sources `but`."""
        for name, source in list(self._tables):
            if name == table and source not in but:
                del self._tables[name, source]

    def _table(self, table: str, source: str | None) -> tuple[int, str]:
        key = (table, source)
        if key not in self._tables:
            relation = quoted(SCHEMA, table)
            if source is not None:
                relation += f" WHERE source = {literal(source)}"
            names = TABLES[table].column_names
            is_there = list(self._opened.column_types(SCHEMA, table)) == names
            self._tables[key] = self._read(relation, names) if is_there else (0, _NO_TABLE)
        return self._tables[key]

    def _read(self, relation: str, columns: Sequence[str]) -> tuple[int, str]:
        found = self._opened.rows(fingerprints(relation, columns, self._opened.dialect))
        return next(((int(n), f"{n}:{total}") for n, total in found), (0, ""))
