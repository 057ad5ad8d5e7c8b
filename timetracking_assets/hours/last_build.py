"""What the rows of the last build were made of, kept in a table beside the model's.

It is written in the transaction of the build, so it is always of the tables that are there. Only
what is remembered belongs here; what follows from it is decided in `build.py`.
"""

from __future__ import annotations

from timetracking_assets.hours.fingerprints import digest
from timetracking_assets.hours.tables import SCHEMA
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted

TABLE = "_last_build"
_COLUMNS = ("name", "source", "made_from", "result")


class LastBuild:
    """For a name and a source (None: all of them): what it was made of, and what came of that."""

    def __init__(self, opened: OpenWarehouse) -> None:
        self._opened = opened
        self._target = quoted(SCHEMA, TABLE)
        existing = opened.column_types(SCHEMA, TABLE)
        if existing and tuple(existing) != _COLUMNS:
            opened.change(f"DROP TABLE {self._target}")
            existing = {}
        if not existing:
            shape = ", ".join(f"{quoted(name)} VARCHAR" for name in _COLUMNS)
            opened.change(f"CREATE TABLE {self._target} ({shape})")
        self._changed: set[tuple[str, str]] = set()
        # another version may hash or convert in another way
        [[self._version]] = opened.rows("SELECT version()")
        self._known = {
            (str(name), str(source)): (str(made_from), str(result))
            for name, source, made_from, result in opened.rows(
                f"SELECT {', '.join(_COLUMNS)} FROM {self._target}"
            )
        }

    def result(self, name: str, source: str | None, made_from: str) -> str | None:
        """What came of the same last time; None if it was made of something else."""
        known, result = self._known.get((name, source or ""), ("", ""))
        return result if known == digest(self._version, made_from) else None

    def has(self, name: str, source: str | None, made_from: str, result: str) -> bool:
        """Whether the last build made it of the same, and the result is still that."""
        return self.result(name, source, made_from) == result

    def note(self, name: str, source: str | None, made_from: str, result: str) -> None:
        """Remember it for the next build, once it is saved."""
        values = (name, source or "", digest(self._version, made_from), result)
        self._known[values[0], values[1]] = (values[2], values[3])
        self._changed.add((values[0], values[1]))

    def save(self) -> None:
        """Write what was noted; where the transaction ends."""
        if not self._changed:
            return
        keys = sorted(self._changed)
        names = ", ".join(f"({literal(name)}, {literal(source)})" for name, source in keys)
        rows = ", ".join(f"({', '.join(map(literal, (*key, *self._known[key])))})" for key in keys)
        self._opened.change(f"DELETE FROM {self._target} WHERE (name, source) IN ({names})")
        self._opened.change(f"INSERT INTO {self._target} VALUES {rows}")
