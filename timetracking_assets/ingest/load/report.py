"""What a load is to do, and what it reports.

Only these two shapes belong here, so that both the loading and the extraction can name them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.http.stats import RequestStats
from timetracking_assets.ingest.load.changes import Changes
from timetracking_assets.ingest.load.late_rows import LateRows
from timetracking_assets.ingest.pages.totals import StatedTotals
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.base import DataType


@dataclass
class LoadReport:
    """What one load did. Times are in seconds; `row_count` is the whole table's after the load."""

    resource: Resource
    window: Window | None
    load_id: str = ""
    rows_extracted: int = 0
    rows_outside_window: int = 0
    changes: Changes = field(default_factory=lambda: Changes())
    column_types: dict[str, DataType] = field(default_factory=dict)
    new_columns: tuple[str, ...] = ()
    retyped_columns: dict[str, DataType] = field(default_factory=dict)
    """Columns that the table had before, with another type, and the type that they have now."""
    requests: RequestStats = field(default_factory=RequestStats)
    seconds: dict[str, float] = field(default_factory=dict)
    renamed_fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that could not have their field's name, and the path of that field."""
    placeholders: dict[str, int] = field(default_factory=dict)
    """Columns whose values came in part as a placeholder of another type, and how many did."""
    times_overtaken: int = 0
    """How often the answer was requested again, as a load with later requests had written first."""
    times_shifted: int = 0
    """How often the answer was requested again, as a list lost rows while it was read."""
    confirmation_requests: int = 0
    """Requests, of all, that were made to confirm that rows are gone before they are removed."""
    rows_missed: int = 0
    """Rows that were on no page until the lists were read again to confirm that they are gone."""
    rows_kept: int = 0
    """Rows that the answer does not hold, but that stay: that they are gone was not confirmed."""
    totals: StatedTotals = field(init=False)
    late: LateRows = field(init=False)

    def __post_init__(self) -> None:
        self.begin_answer()

    def begin_answer(self) -> None:
        """Forget what was counted of an answer: it is requested again."""
        self.totals = StatedTotals(self.resource)
        self.rows_missed = self.rows_kept = 0
        self.begin_rows()

    def begin_rows(self) -> None:
        """Forget what was counted of an answer's rows: they are read again."""
        self.rows_extracted = self.rows_outside_window = 0
        self.late = LateRows(self.resource, self.window)

    @property
    def warnings(self) -> list[str]:
        """What a person should know of the answer, though it was loaded; without any value."""
        stats, label = self.requests, self.resource.label
        texts = []
        if stats.credential_columns:
            texts.append(
                f"{label}: a credential of the API was seen in "
                f"{', '.join(sorted(stats.credential_columns))}. Rows are stored as the API sent "
                "them: see who may read the table, or change the credential."
            )
        if stats.assumed_encoding:
            texts.append(
                f"{label}: the API's answers are not UTF-8, and state no charset that fits; they "
                f"were read as {stats.assumed_encoding}."
            )
        if stats.characters_replaced:
            texts.append(
                f"{label}: {stats.characters_replaced} characters of the API's answers were not "
                "valid text; they are stored as U+FFFD."
            )
        if stats.non_finite_numbers:
            texts.append(
                f"{label}: {stats.non_finite_numbers} numbers of the API's answers are NaN or "
                "infinite, which JSON does not have; they are stored as null."
            )
        if self.rows_kept:
            texts.append(
                f"{label}: {self.rows_kept} rows of the table are not in the answer, but stay: its "
                "lists shifted each time they were read, so that they may only have been hidden. "
                "The next load removes them if they are gone."
            )
        if self.placeholders:
            counts = ", ".join(f"{name} ({n})" for name, n in sorted(self.placeholders.items()))
            texts.append(
                f"{label}: placeholders for no value, of another type than their column, are "
                f"stored as null: {counts}."
            )
        return texts

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the phase `name`."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started


@dataclass(frozen=True)
class LoadRequest:
    """What to load: a resource, for a window where it has one. Lock messages name its `holder`."""

    connection: Connection
    resource: Resource
    window: Window | None = None
    holder: str = "a load"
    allow_removal: bool = False
    log: Callable[[str], None] | None = None
