"""Right answers in the forms that other APIs give them: what they do to a query or to an answer.

Pure functions over queries and decoded answers. Which requests they are applied to is decided in
`faults`; how an answer is sent belongs to `fault_player`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

_SIZES: Final = frozenset({"limit", "items_per_page", "per-page", "per_page", "page-size"})
_BOUNDS: Final = frozenset(
    {
        "start",
        "end",
        "start_date",
        "end_date",
        "modified_since",
        "time_last_change_since",
        "time_last_change_until",
    }
)
_KEYS: Final = frozenset({"api_key"})
_TOTALS: Final = re.compile(r"^(count_(pages|items)|x-pagination-(page|total)-count)$", re.I)

Header = tuple[bytes, bytes]


def capped_query(query: str, rows: int) -> str:
    """The query with a page size of at most `rows`; where it names none, it stays as it is."""

    def capped(name: str, text: str) -> str:
        return str(min(int(text), rows)) if name in _SIZES and _is_whole(text) else text

    return _with(query, capped)


def local_days_query(query: str, timezone: str) -> str:
    """The query with each bound of its window moved to the beginning of its day in `timezone`.

    An instant is in the day that it has there; a date is that day.
    """

    def moved(name: str, text: str) -> str:
        return _beginning_of_day(text, timezone) if name in _BOUNDS else text

    return _with(query, moved)


def following_query(query: str, rows: int) -> str:
    """The query of the page after one that holds `rows` rows, without the credential in it."""
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in _KEYS]
    values = dict(pairs)
    if "offset" in values or "limit" in values:
        values["offset"] = str(int(values.get("offset", "0")) + rows)
    else:
        values["page"] = str(int(values.get("page", "1")) + 1)
    return urlencode(values)


def rows_of(answer: Any) -> list[Any]:
    """The rows of an answer: itself, or its first list."""
    if isinstance(answer, list):
        return answer
    lists = [value for value in answer.values() if isinstance(value, list)]
    return lists[0] if lists else []


def with_rows(answer: Any, rows: Any) -> Any:
    """The answer with something else in the place of its rows."""
    if isinstance(answer, list):
        return rows
    changed = dict(answer)
    for name, value in answer.items():
        if isinstance(value, list):
            changed[name] = rows
            break
    return changed


def map_of_rows(rows: Iterable[Mapping[str, Any]], key: str, *, keeps_key: bool) -> dict[str, Any]:
    """Rows below their keys, which the rows hold as well where `keeps_key`."""
    return {
        str(row[key]): {name: value for name, value in row.items() if keeps_key or name != key}
        for row in rows
    }


def with_totals(answer: Any, value: Any, *, missing: bool) -> Any:
    """The answer with `value` for each total that it states, or without them."""
    if isinstance(answer, list):
        return answer
    changed: dict[str, Any] = {}
    for name, held in answer.items():
        if isinstance(held, Mapping):
            changed[name] = with_totals(held, value, missing=missing)
        elif not _TOTALS.match(name):
            changed[name] = held
        elif not missing:
            changed[name] = value
    return changed


def headers_with_totals(headers: Iterable[Header], value: Any, *, missing: bool) -> list[Header]:
    """The same for the totals in headers; null is written as an empty header."""
    text = "" if value is None else str(value)
    changed = []
    for name, held in headers:
        if not _TOTALS.match(name.decode()):
            changed.append((name, held))
        elif not missing:
            changed.append((name, text.encode()))
    return changed


def next_link(base_url: str, query: str, scheme: str | None) -> str:
    """The address of a page, with another scheme than the request's where one is given."""
    parts = urlsplit(base_url)
    return parts._replace(scheme=scheme or parts.scheme, query=query).geturl()


def _with(query: str, change: Callable[[str, str], str]) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, change(name, text)) for name, text in pairs])


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _beginning_of_day(text: str, timezone: str) -> str:
    zone = ZoneInfo(timezone)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            # for the API to refuse
            return text
        day = instant.astimezone(zone).date()
    beginning = datetime.combine(day, time.min, zone).astimezone(UTC)
    return beginning.strftime("%Y-%m-%dT%H:%M:%SZ")
