"""What keeps the assets of an API up to date without anyone: schedules and sensors, put together.

Only the sum belongs here; each has a module of its own.
"""

from __future__ import annotations

import dagster as dg

from timetracking_assets.ingest.api import Api
from timetracking_assets.orchestration.schedules import build_schedules


def build_automation(api: Api) -> dg.Definitions:
    """The schedules and sensors of `api`, off unless its file or the environment says otherwise."""
    return dg.Definitions(schedules=build_schedules(api))
