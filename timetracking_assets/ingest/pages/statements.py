"""What an API states beside its rows: numbers, yes or no, the next page, or that there is nothing.

APIs write the same thing in many ways; here each is read once. What follows from a statement is
decided in `list_end.py` and `totals.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dlt.common.jsonpath import find_values

from timetracking_assets.errors import AnswerError
from timetracking_assets.spec.model import TotalSpec

HEADERS = "headers"
"""Where an envelope holds the response's headers, by lower-case name."""

_NOTHING = {"", "null", "none", "nil", "undefined", "false", "#"}
_NO = {*_NOTHING, "0", "no", "n", "f", "off"}


def at_path(envelope: Mapping[str, Any], path: Any) -> Any:
    """The value at a dotted path, or a compiled JSON path; None where nothing is."""
    if isinstance(path, str):
        value: Any = envelope
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value
    values = find_values(path, dict(envelope))
    return values[0] if values else None


def is_nothing(value: Any) -> bool:
    """Whether a value in the place of a link or a cursor says that there is no further page."""
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING
    return value is None or value is False or value == 0 or value in ([], {})


def yes_or_no(value: Any) -> bool | None:
    """Whether a value in the place of 'there is more' says so; None where there is no value."""
    if value is None:
        return None
    return value.strip().lower() not in _NO if isinstance(value, str) else bool(value)


def number(value: Any, where: str, place: str, key: str) -> int | None:
    """A count that an API states; None where it states none: null, or a negative number.

    `Content-Range` is read, too: `items 0-24/319`. Raises AnswerError for anything else; `where`
    begins its text, `place` is where the value is, `key` the key of the file that says so.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
        return int(value) if value >= 0 else None
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, str) and text.rpartition("/")[2].strip().lower() in {*_NOTHING, "*"}:
        return None
    if match := re.fullmatch(r"(?:.*/)?\s*(-?)(\d+)(?:\.0+)?", text, re.ASCII):
        return None if match[1] else int(match[2])
    raise AnswerError(
        f"{where} has no number at {place}, where `{key}` expects one, but {described(value)}"
    )


def total_of(spec: TotalSpec, envelope: Mapping[str, Any], where: str) -> int | None:
    """The total that a page states where the file says; None where it states none.

    Raises AnswerError, which begins with `where`, for what is no number.
    """
    if spec.header:
        value = envelope[HEADERS].get(spec.header.lower())
        return number(value, where, f"header {spec.header}", "total")
    return number(at_path(envelope, str(spec.path)), where, f"`{spec.path}`", "total")


def described(value: Any) -> str:
    """A decoded JSON value, as a message names it."""
    if isinstance(value, Mapping):
        return f"an object with {', '.join(f'`{name}`' for name in list(value)[:5]) or 'no fields'}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the text '{value[:40]}'" if isinstance(value, str) else f"the number {value}"
