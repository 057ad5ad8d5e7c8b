"""Rows that lie in several places of an answer: below each key of an object, or in each of a list.

A `*` in a `data_selector` goes through all of them; `outer_fields` keeps what a row lies in. Lists
at one place are read in one pass, in `page.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from timetracking_assets.errors import AnswerError

Raw = msgspec.Raw
VALUE = "value"
"""Field of a row that is no object but a number or text below a key."""


def steps(path: str) -> list[str]:
    """The steps of a dotted path; `[*]` is another spelling of `.*`, and `$` the whole answer."""
    return [step for step in path.replace("[*]", ".*").split(".") if step not in ("", "$")]


class _Place:
    """One place below a `*`: its key (or position), and the value."""

    def __init__(self, key: Any, raw: Raw) -> None:
        self.key, self.raw = key, raw


def nested_rows(
    raw: Raw, path: list[str], outer_fields: Mapping[str, str], selector: str, where: str
) -> list[Raw]:
    """The rows below `raw` by `path`, which begins with a `*`; each with its outer fields.

    `outer_fields` are paths of the whole answer that share the selector's steps up to a `*`.
    Raises msgspec.ValidationError, or KeyError, where the answer has another shape, AnswerError
    where a row has a field of its own by an outer field's name.
    """
    before = steps(selector)[: -len(path)]
    paths = {name: steps(outer)[len(before) :] for name, outer in outer_fields.items()}
    rows: list[Raw] = []
    for places, row in _walk(raw, path, []):
        outer = {name: _outer(places, path_of) for name, path_of in paths.items()}
        text = bytes(row).strip()
        if text.startswith(b"{"):
            if not outer:
                rows.append(row)
                continue
            fields = msgspec.json.decode(text, type=dict[str, Raw])
        else:
            fields = {VALUE: row}
        for name in outer:
            if name in fields:
                raise AnswerError(
                    f"{where} has rows with a field `{name}` of their own: give the one of "
                    "`outer_fields` another name"
                )
        rows.append(Raw(msgspec.json.encode({**outer, **fields})))
    return rows


def _walk(raw: Raw, path: list[str], places: list[_Place]) -> Iterator[tuple[list[_Place], Raw]]:
    text = bytes(raw).strip()
    if not path:
        if text.startswith(b"["):
            for row in msgspec.json.decode(text, type=list[Raw]):
                yield places, row
        elif text != b"null":
            yield places, raw
        return
    step, *rest = path
    if step != "*":
        yield from _walk(msgspec.json.decode(text, type=dict[str, Raw])[step], rest, places)
    elif text.startswith(b"["):
        for position, item in enumerate(msgspec.json.decode(text, type=list[Raw])):
            yield from _walk(item, rest, [*places, _Place(position, item)])
    else:
        for key, item in msgspec.json.decode(text, type=dict[str, Raw]).items():
            yield from _walk(item, rest, [*places, _Place(key, item)])


def _outer(places: list[_Place], path: list[str]) -> Any:
    """The value at `path`: a field of the place of its last `*`, or that place's key."""
    stars = path.count("*")
    place = places[stars - 1]
    names = path[len(path) - path[::-1].index("*") :]
    if not names:
        return place.key
    value: Any = msgspec.json.decode(place.raw)
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
