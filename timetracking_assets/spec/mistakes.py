"""What has the wrong shape in a specification: pydantic's errors in plain words, at their keys.

Shapes only: what keys mean together is judged, and said, in the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.model import ApiSpec

_KINDS = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a map",
    "model": "a map",
}
_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def mistakes_in(error: ValidationError, attributes: Mapping[str, Any]) -> list[SpecError]:
    """One SpecError for each key of `attributes` that `error` is about, in its order."""
    by_path: dict[SpecPath, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        by_path.setdefault(_path(details, attributes), []).append(details)
    return [SpecError(path, text) for path, text in _messages(by_path, attributes)]


def _messages(
    by_path: Mapping[SpecPath, Sequence[ErrorDetails]], attributes: Mapping[str, Any]
) -> Iterator[tuple[SpecPath, str]]:
    for path, several in by_path.items():
        value = _value(attributes, path)
        below = any(other[: len(path)] == path and other != path for other in by_path)
        # a map is meant as one, whatever else might be there: what is wrong lies below it
        if below and isinstance(value, Mapping):
            continue
        expected = dict.fromkeys(filter(None, map(_expected, several)))
        said = next((details["msg"] for details in several if details["type"] == "invalid"), None)
        if said is not None:
            yield path, said
        elif expected:
            shown = "" if path[0] == "client" else f", not {_shown(value)}"
            yield path, f"must be {' or '.join(expected)}{shown}"
        else:
            yield path, _message(several[0], path)


def _message(details: ErrorDetails, path: SpecPath) -> str:
    kind, context = details["type"], details.get("ctx") or {}
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return unknown_key(str(path[-1]), keys_at(path[:-1]))
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"must be {words} {context[key]:g}, not {_shown(details['input'])}"
    if kind == "string_pattern_mismatch":
        return (
            f"'{details['input']}' must begin with a small letter and hold only small letters, "
            "digits and `_`"
        )
    if kind == "too_short":
        return "must not be empty"
    return details["msg"]


def unknown_key(key: str, known: Sequence[str]) -> str:
    """The message about a key that is none of `known`."""
    near = get_close_matches(key, known, n=1)
    if near:
        return f"unknown key; did you mean `{near[0]}`?"
    return f"unknown key; there are {', '.join(f'`{name}`' for name in sorted(known))}"


def keys_at(path: SpecPath) -> list[str]:
    """The keys of the map at `path` of the attributes; none where any are allowed."""
    annotation: Any = ApiSpec
    for part in path:
        model = model_in(annotation)
        field = model.model_fields.get(str(part)) if model else None
        if field is not None:
            annotation = field.annotation
        elif get_origin(annotation) in (list, tuple, dict):
            # an item or an entry has the type of the last argument
            annotation = next(a for a in reversed(get_args(annotation)) if a is not Ellipsis)
        else:
            return []
    model = model_in(annotation)
    return list(model.model_fields) if model else []


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a value may be, alone or beside others."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Annotated):
        models = (model_in(argument) for argument in get_args(annotation))
        return next((model for model in models if model), None)
    return None


def _expected(details: ErrorDetails) -> str | None:
    kind = details["type"]
    if kind == "literal_error":
        expected = (details.get("ctx") or {})["expected"].replace("'", "`")
        return expected if " or " not in expected else f"one of {expected}"
    stem, _, rest = kind.partition("_")
    if rest in ("type", "parsing", "from_float", "attributes_type"):
        return _KINDS.get(stem)
    return None


def _path(details: ErrorDetails, attributes: Mapping[str, Any]) -> SpecPath:
    """The path in the attributes: pydantic's, without the names of the alternatives it tried."""
    path: list[str | int] = []
    value: Any = attributes
    for index, part in enumerate(details["loc"]):
        last = index == len(details["loc"]) - 1
        below = _below(value, part)
        if below is not _NOTHING or (last and details["type"] == "missing"):
            path.append(part)
            value = below
    return tuple(path)


def _value(value: Any, path: SpecPath) -> Any:
    for part in path:
        value = _below(value, part)
    return value


_NOTHING = object()


def _below(value: Any, part: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(part, _NOTHING)
    there = isinstance(value, list) and isinstance(part, int) and part < len(value)
    return value[part] if there else _NOTHING


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    return repr(value) if isinstance(value, str) else str(value)
