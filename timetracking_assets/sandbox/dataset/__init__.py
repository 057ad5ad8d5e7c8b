"""The sandbox's data: realistic, and the same for the same seed and day.

One module per API makes that API's rows; the others hold what they share. History is stable: a
later day adds days and edits, and leaves the rest as it was, identifiers included.

Nothing here knows how the rows are served.
"""

from datetime import date
from functools import lru_cache
from typing import Final

from timetracking_assets.sandbox.dataset import (
    project_management,
    resource_management,
    time_analytics,
    time_tracking,
    workspace_time,
)
from timetracking_assets.sandbox.dataset.calendar import Span
from timetracking_assets.sandbox.dataset.odd_rows import with_odd_rows
from timetracking_assets.sandbox.dataset.rows import Resources, Row

__all__ = ["DEFAULT_SEED", "Resources", "Row", "Span", "generate"]

DEFAULT_SEED: Final = 20_240

_GENERATORS: Final = {
    "time_tracking": time_tracking.generate,
    "project_management": project_management.generate,
    "workspace_time": workspace_time.generate,
    "resource_management": resource_management.generate,
    "time_analytics": time_analytics.generate,
}


# Tests start many servers with the same data.
@lru_cache(maxsize=8)
def generate(seed: int, today: date, odd_rows: bool = False) -> dict[str, Resources]:
    """The rows of every resource of every API as they are at the start of `today` (UTC).

    `odd_rows`: with those that tidy data lacks, see `odd_rows.py`. The answer is shared by all
    callers, who must not change it.
    """
    span = Span.until(today)
    data = {api: make(seed, span) for api, make in _GENERATORS.items()}
    return with_odd_rows(data, today) if odd_rows else data
