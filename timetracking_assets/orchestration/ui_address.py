"""Where the Dagster UI is, for links from pages and messages. Nothing here imports Dagster."""

from __future__ import annotations

import os

VARIABLE = "TIMETRACKING_UI_URL"
DEFAULT = "http://127.0.0.1:3000"


def ui_address() -> str:
    """The address in TIMETRACKING_UI_URL, else that of a UI on this machine; without a trailing
    slash."""
    return os.environ.get(VARIABLE, "").rstrip("/") or DEFAULT
