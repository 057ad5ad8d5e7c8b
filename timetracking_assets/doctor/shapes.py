"""What a decoded answer looks like: where rows are, what could be a key, what counts its pages.

Pure functions over JSON values; nothing here knows what was configured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]
MISSING = object()

_COUNTERS = {
    "total pages": r"(page.?count|count.?pages|total.?pages|num(ber)?.?(of.?)?pages|(^|\.)pages$|"
    r"last.?page)",
    "total rows": r"(total.?(count|rows|items|results|records)|(^|\.)total$|x-total$)",
    "has more": r"(has.?more|has.?next|more.?items)",
    "next cursor": r"(next.?cursor|next.?token|continuation|(^|\.)cursor$)",
    "next link": r"((^|\.)next$|next.?(url|link|page.?url))",
}
_LIMIT_HEADERS = re.compile(r"rate.?limit|retry-after|quota", re.IGNORECASE)
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}([T ])\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$")


def at(body: Any, selector: str) -> Any:
    """The value at a dotted path (`$` is the whole answer), or MISSING.

    Through a `*` it is the list of what lies below each key or item.
    """
    before, star, after = selector.replace("[*]", ".*").removeprefix("$.").partition("*")
    if star:
        places = at(body, before.rstrip(".") or "$")
        if not isinstance(places, Mapping | list):
            return MISSING
        items = places.values() if isinstance(places, Mapping) else places
        values = [at(item, after.lstrip(".") or "$") for item in items]
        lists = [item if isinstance(item, list) else [item] for item in values]
        return [item for items in lists for item in items if item not in (MISSING, None)]
    for name in [] if selector == "$" else selector.split("."):
        if not isinstance(body, Mapping) or name not in body:
            return MISSING
        body = body[name]
    return body


def row_places(body: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The paths of values that could be the rows: lists of objects, and nulls."""
    if body is None or (isinstance(body, list) and all(isinstance(i, Mapping) for i in body)):
        yield path or "$", body
    elif isinstance(body, Mapping):
        for name, value in body.items():
            yield from row_places(value, f"{path}.{name}" if path else name)


def is_map_of_rows(value: Any) -> bool:
    """Whether an object's keys are ids or days, below which rows lie: all of one shape."""
    if not isinstance(value, Mapping) or not value:
        return False
    items = list(value.values())
    if all(isinstance(item, list) and _are_rows(item) for item in items):
        return all(re.search(r"\d", name) for name in value) and any(items)
    keys = [frozenset(item) for item in items if isinstance(item, Mapping)]
    alike = len(set(keys)) == 1 and len(keys) > 1
    numbered = all(re.fullmatch(r"[\d-]+|[0-9a-f-]{12,}", name) for name in value)
    return len(keys) == len(items) and bool(keys[0]) and (alike or numbered)


def _are_rows(items: list[Any]) -> bool:
    return all(isinstance(item, Mapping) for item in items)


def map_place(body: Any, path: str = "") -> str | None:
    """The path of the outermost object with rows below its keys; None without such keys."""
    if is_map_of_rows(body):
        return path or "$"
    if isinstance(body, Mapping):
        for name, value in body.items():
            if place := map_place(value, f"{path}.{name}" if path else name):
                return place
    return None


def best_place(body: Any) -> str | None:
    """The likeliest path of the rows: the longest list, the outermost of equals."""
    places = sorted(
        row_places(body),
        key=lambda place: (place[1] is None, -len(place[1] or []), place[0].count(".")),
    )
    return places[0][0] if places else None


def flat(row: Row, prefix: str = "") -> dict[str, Any]:
    """A row's fields as columns are named: objects flattened with `__`."""
    fields: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            fields |= flat(value, f"{prefix}{name}__")
        else:
            fields[f"{prefix}{name}"] = value
    return fields


def possible_keys(rows: Sequence[Row]) -> list[str]:
    """Fields that have a different value in every row, the likeliest first."""
    keys = []
    for name in {name: None for row in rows for name in row}:
        values = [row.get(name) for row in rows]
        plain = all(isinstance(v, int | str) and not isinstance(v, bool) for v in values)
        if plain and len(set(values)) == len(values) and not any(map(time_format, values)):
            keys.append(name)

    def likelihood(name: str) -> tuple[bool, bool]:
        return name != "id", not re.search(r"(^|_)(id|key|uuid|number|no)$", name)

    return [name for name in sorted(keys, key=likelihood) if not likelihood(name)[1]] or keys[:3]


def time_format(value: Any) -> str | None:
    """How a value is written if it is a time: `date`, `iso`, `local` (no zone), `unix_...`."""
    if isinstance(value, str):
        if match := _ISO.match(value):
            return "iso" if match.group(4) else "local"
        try:
            return "date" if len(value) == 10 and datetime.strptime(value, "%Y-%m-%d") else None
        except ValueError:
            return None
    if isinstance(value, int) and not isinstance(value, bool):
        # between 2001 and 2100
        if 1_000_000_000 <= value < 4_102_444_800:
            return "unix_seconds"
        if 1_000_000_000_000 <= value < 4_102_444_800_000:
            return "unix_milliseconds"
    return None


def instant_of(value: Any, timezone: str) -> datetime | None:
    """The instant of a time, in `timezone` where it names no zone; None for what is no instant."""
    kind = time_format(value)
    if kind == "unix_seconds":
        return datetime.fromtimestamp(value, UTC)
    if kind == "unix_milliseconds":
        return datetime.fromtimestamp(value / 1000, UTC)
    if kind not in ("iso", "local"):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(timezone))


def counters(body: Any, rows_at: str, headers: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    """Signs of further pages: kind -> the path that a paginator takes, and the value."""
    places = {f"headers.{name.lower()}": value for name, value in headers.items()}
    places |= dict(_envelope(body, rows_at))
    counts: dict[str, tuple[str, Any]] = {}
    for kind, pattern in _COUNTERS.items():
        for path, value in places.items():
            if re.search(pattern, path, re.IGNORECASE) and not _LIMIT_HEADERS.search(path):
                counts.setdefault(kind, (path, value))
    if 'rel="next"' in headers.get("link", ""):
        counts["next link"] = ("headers.link", "rel=next")
    return counts


def _envelope(body: Any, rows_at: str, path: str = "") -> Iterator[tuple[str, Any]]:
    if path == rows_at or not isinstance(body, Mapping):
        if path and path != rows_at and not isinstance(body, list):
            yield path, body
        return
    for name, value in body.items():
        yield from _envelope(value, rows_at, f"{path}.{name}" if path else name)


def limit_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers about rate limits and quotas."""
    return {name: value for name, value in headers.items() if _LIMIT_HEADERS.search(name)}
