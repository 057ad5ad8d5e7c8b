"""Keys that files had once: what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from timetracking_assets.errors import SpecPath

_NEW_KEYS = {
    "date": "day",
    "end": "end",
    "seconds": "seconds",
    "hours": "hours",
    "person": "person",
    "project": "project",
    "customer": "client",
}


def retired_key(path: SpecPath, value: Any) -> str | None:
    """The message about a key that is no longer one; None for any other key."""
    if path[-1] != "hours" or path[0] not in ("resources", "resource_defaults"):
        return None
    if not isinstance(value, Mapping):
        return "is no longer a key: leave it out; `unified` says which rows are time entries"
    new = {_NEW_KEYS[key]: column for key, column in value.items() if key in _NEW_KEYS}
    if "end" in new and "day" in new:
        new = {"start": new.pop("day"), **new}
    entries = ", ".join(f"{key}: {column}" for key, column in {"id": "id", **new}.items())
    but = " (`start` instead of `day` if that column has a time of day)" if "day" in new else ""
    return f"is no longer a key: write `unified: {{time_entries: {{{entries}}}}}`{but}"
