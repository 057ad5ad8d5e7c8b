"""Where the Dagster UI is, for links from pages and messages. Nothing here imports Dagster."""

from __future__ import annotations

import os

VARIABLE = "TIMETRACKING_UI_URL"
DEFAULT = "http://127.0.0.1:3000"


def ui_address() -> str:
    """The address that TIMETRACKING_UI_URL holds, or that of a UI on this machine; no slash at its
    end."""
    return os.environ.get(VARIABLE, "").rstrip("/") or DEFAULT
