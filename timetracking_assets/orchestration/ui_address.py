"""Where the Dagster UI and the dashboard are, for links between them and from messages.

Nothing here imports Dagster.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

VARIABLE = "TIMETRACKING_UI_URL"
DEFAULT = "http://127.0.0.1:3000"
DASHBOARD_VARIABLE = "TIMETRACKING_DASHBOARD_URL"
DASHBOARD_DEFAULT = "http://127.0.0.1:8766"


def ui_address() -> str:
    """The address in TIMETRACKING_UI_URL, else that of a UI on this machine; without a trailing
    slash."""
    return os.environ.get(VARIABLE, "").rstrip("/") or DEFAULT


def dashboard_address(path: Sequence[str]) -> str:
    """The place of an asset on the dashboard at TIMETRACKING_DASHBOARD_URL, or else on that of this
    machine; `path` is its asset key."""
    base = os.environ.get(DASHBOARD_VARIABLE, "").rstrip("/") or DASHBOARD_DEFAULT
    return f"{base}/#{anchor(path)}"


def anchor(path: Sequence[str]) -> str:
    """The id of an asset's place on the dashboard."""
    return "asset-" + "-".join(path)
