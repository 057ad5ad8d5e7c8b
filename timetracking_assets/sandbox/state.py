"""The rows that the server holds, and how they are changed while it runs.

What an API answers for them belongs to `apis`; how they are made, to `dataset`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from timetracking_assets.sandbox.catalog import key_field
from timetracking_assets.sandbox.dataset import Row, generate


class MissingKeyError(ValueError):
    """A row to insert or merge lacks the field that identifies it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows one edit touched."""

    inserted: int
    updated: int
    deleted: int


class State:
    """All rows of all APIs, in memory, in the order in which the APIs list them."""

    def __init__(self, seed: int, today: date, odd_rows: bool = False) -> None:
        self._seed, self._odd_rows = seed, odd_rows
        self.move_to(today)

    def move_to(self, today: date) -> None:
        """Hold the data up to the day before `today`, without any edit."""
        self._original = generate(self._seed, today, self._odd_rows)
        self.reset()

    def reset(self) -> None:
        """Undo every edit."""
        # Rows and lists are shared with other servers: an edit puts new ones in their place.
        self._rows = {api: dict(resources) for api, resources in self._original.items()}

    def rows(self, api: str, resource: str) -> Sequence[Row]:
        """The rows held; `UnknownResourceError` if there is no such resource."""
        key_field(api, resource)
        return self._rows[api][resource]

    def replace(self, api: str, resource: str, rows: Iterable[Row]) -> int:
        """Hold exactly these rows, unchecked: duplicates too, so as to play a faulty API."""
        key_field(api, resource)
        held = list(rows)
        self._rows[api][resource] = held
        return len(held)

    def edit(
        self, api: str, resource: str, upsert: Sequence[Row] = (), delete: Sequence[int | str] = ()
    ) -> Changes:
        """Delete rows by key, then merge fields into rows by key, or append unknown rows.

        Raises `UnknownResourceError`, or `MissingKeyError` with nothing changed.
        """
        key = key_field(api, resource)
        if any(row.get(key) is None for row in upsert):
            raise MissingKeyError(f"each row of '{api}.{resource}' needs its key '{key}'")
        held = self._rows[api][resource]
        gone = frozenset(delete)
        kept = [row for row in held if row.get(key) not in gone]
        positions = {row.get(key): position for position, row in enumerate(kept)}
        inserted = 0
        for row in upsert:
            position = positions.get(row[key])
            if position is None:
                positions[row[key]] = len(kept)
                kept.append(dict(row))
                inserted += 1
            else:
                kept[position] = {**kept[position], **row}
        self._rows[api][resource] = kept
        return Changes(inserted, len(upsert) - inserted, len(held) - len(kept) + inserted)
