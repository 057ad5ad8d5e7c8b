"""How the APIs write instants and durations as text."""

from datetime import datetime, timedelta, timezone


def utc_text(instant: datetime) -> str:
    """`2026-01-31T08:30:00Z`, from an instant in UTC; less than a second is cut off."""
    return f"{instant.isoformat()[:19]}Z"


def offset_text(instant: datetime, hours: int) -> str:
    """The same instant at that offset: `2026-01-31T09:30:00+01:00`."""
    return instant.astimezone(timezone(timedelta(hours=hours))).isoformat(timespec="seconds")


def duration_text(length: timedelta) -> str:
    """ISO-8601 in hours and minutes: `PT1H30M`, `PT2H`, `PT45M`."""
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes or not hours else "")


def seconds(length: timedelta) -> int:
    """Whole seconds."""
    return int(length.total_seconds())


def hours(length: timedelta) -> float:
    """Hours with two decimals."""
    return round(length.total_seconds() / 3600, 2)
