"""The sums of the model of hours that the page shows: by person and by week, all years.

What they are is described in `hours/report.py`; without the model's tables they are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from timetracking_assets.hours.report import Line, Selection, is_built, read_lines
from timetracking_assets.warehouse.base import OpenWarehouse


@dataclass(frozen=True)
class ModelHours:
    """Planned, absent, available, worked and billable seconds: those with most work first, and the
    newest week first."""

    people: Sequence[Line] = ()
    weeks: Sequence[Line] = ()


def read_model_hours(opened: OpenWarehouse) -> ModelHours:
    """Read them; nothing where the model has not been built."""
    if not is_built(opened):
        return ModelHours()
    people, weeks = (read_lines(opened, by, Selection()) for by in ("person", "week"))
    return ModelHours(people, weeks[::-1])
