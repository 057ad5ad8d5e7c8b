"""Which column a field becomes: the declared one, else a name that follows from the field's own.

Several fields may come to one name (`userId` and `user_id`), or to none (`""`). The field that had
the column before keeps it, else the one that is written just so, else the first in alphabetical
order; each of the others gets the name with six characters made of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from timetracking_assets.spec.api import LISTED_AS_DELETED, Resource, column_name

FieldPath = tuple[str, ...]
"""Where a field is in a row: the names of the objects that it lies in, and its own."""

_UNNAMED = "unnamed"


def column_of(resource: Resource, path: FieldPath) -> str:
    """The column that is declared for the field at `path`, or the one that its name comes to."""
    for name, column in resource.columns.items():
        if column.field == path:
            return name
    return _own_name(path)


def _own_name(path: FieldPath) -> str:
    return column_name("__".join(part if column_name(part) else _UNNAMED for part in path))


class ColumnNames:
    """The columns of one resource's fields, each field's for good.

    `known` are the fields of columns that the table has. A field never gets one of the columns that
    are `reserved` for something else.
    """

    def __init__(
        self, resource: Resource, known: Mapping[str, FieldPath], reserved: Iterable[str] = ()
    ) -> None:
        declared = {n: column.field for n, column in resource.columns.items() if column.field}
        self._names = {path: name for name, path in {**known, **declared}.items()}
        self._taken = {*self._names.values(), *reserved}
        if resource.deleted_ids:
            self._taken.add(LISTED_AS_DELETED)

    def __contains__(self, path: object) -> bool:
        return path in self._names

    def expected(self, path: FieldPath) -> str:
        """The column that the field at `path` has, or would have if no other one had it."""
        return self._names.get(path) or _own_name(path)

    def assign(self, paths: Iterable[FieldPath]) -> None:
        """Give the fields at `paths`, which come together, their columns."""
        new = [path for path in paths if path not in self._names]
        for path in sorted(new, key=lambda path: ("__".join(path) != _own_name(path), path)):
            name = _own_name(path)
            if name in self._taken:
                name = f"{name}_{sha256('/'.join(path).encode()).hexdigest()[:6]}"
            self._names[path] = name
            self._taken.add(name)

    def fields(self) -> dict[str, FieldPath]:
        """The fields of the columns whose name is not just the field's."""
        return {name: path for path, name in self._names.items() if "__".join(path) != name}

    def unusual(self) -> dict[str, FieldPath]:
        """The fields of the columns whose name does not follow from the field's alone."""
        return {n: path for n, path in self.fields().items() if column_name("__".join(path)) != n}
