"""Names of time zones, wherever a specification has one."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from timetracking_assets.errors import SpecError, SpecPath


def check_timezone(name: str, path: SpecPath) -> None:
    """Raise SpecError for a name that is not an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        valid = False
    else:
        valid = True
    if not valid:
        raise SpecError(path, f"'{name}' is not an IANA time zone such as Europe/Berlin or UTC")
