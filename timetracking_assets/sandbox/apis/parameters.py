"""Query parameters, read strictly: what an API cannot read is answered with 400, never guessed."""

import re
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request

from timetracking_assets.sandbox.apis.answers import bad_request

_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def whole_number(
    request: Request, name: str, *, default: int, least: int, most: int | None = None
) -> int:
    """An integer parameter within its bounds, both included."""
    text = request.query_params.get(name)
    if text is None:
        return default
    bounds = f"{least} to {most}" if most is not None else f"{least} or more"
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not _within(int(text), least, most):
        raise bad_request(f"'{name}' must be a whole number, {bounds}; it is '{text}'")
    return int(text)


def required_year(request: Request, name: str) -> int:
    """A four-digit year that must be there."""
    text = request.query_params.get(name)
    if text is None:
        raise bad_request(f"the parameter '{name}' is required: a year such as 2024")
    if not re.fullmatch(r"[12]\d{3}", text, re.ASCII):
        raise bad_request(f"'{name}' must be a year such as 2024; it is '{text}'")
    return int(text)


def utc_instant(request: Request, name: str) -> datetime | None:
    """An optional instant, written `YYYY-MM-DDTHH:MM:SSZ` and no other way."""
    text = request.query_params.get(name)
    if text is None:
        return None
    return _instant(name, text, (_UTC,), "YYYY-MM-DDTHH:MM:SSZ")


def date_or_instant(request: Request, name: str) -> datetime | None:
    """An optional date (its first instant, UTC) or instant with an offset (RFC 3339)."""
    text = request.query_params.get(name)
    if text is None:
        return None
    return _instant(name, text, (_DATE, _RFC3339), "YYYY-MM-DD or an RFC 3339 time with an offset")


def instant_of(value: object) -> datetime | None:
    """The instant that a row's field holds (UTC if it names no offset), or None."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _within(number: int, least: int, most: int | None) -> bool:
    return number >= least and (most is None or number <= most)


def _instant(name: str, text: str, forms: tuple[re.Pattern[str], ...], form: str) -> datetime:
    instant = instant_of(text) if any(form.fullmatch(text) for form in forms) else None
    if instant is None:
        raise bad_request(f"'{name}' must be written {form}; it is '{text}'")
    return instant
