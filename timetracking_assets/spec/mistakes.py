"""Mistakes in a specification: gathered, and pydantic's in plain words, at their keys.

Only the wording of wrong shapes belongs here; what keys mean together is judged in the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from timetracking_assets.errors import SpecError, SpecErrors, SpecPath
from timetracking_assets.spec.retired import retired_key


class Mistakes(list[SpecError]):
    """The mistakes of a specification, gathered so that one does not hide the next."""

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Keep the SpecError of a block, and go on after it."""
        try:
            yield
        except SpecError as error:
            self.extend(error.each)

    def raise_any(self) -> None:
        """Raise SpecError if there are any, SpecErrors if there are several."""
        if self:
            raise self[0] if len(self) == 1 else SpecErrors(self)


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


def mistakes_in(
    error: ValidationError, attributes: Mapping[str, Any], model: type[BaseModel]
) -> Mistakes:
    """One SpecError for each key of `attributes` that `error`, one of `model`, is about."""
    by_path: dict[SpecPath, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        by_path.setdefault(_path(details, attributes), []).append(details)
    return Mistakes(SpecError(path, text) for path, text in _messages(by_path, attributes, model))


def _messages(
    by_path: Mapping[SpecPath, Sequence[ErrorDetails]],
    attributes: Mapping[str, Any],
    model: type[BaseModel],
) -> Iterator[tuple[SpecPath, str]]:
    for path, several in by_path.items():
        value = _value(attributes, path)
        below = any(other[: len(path)] == path and other != path for other in by_path)
        # a map is meant as one, whatever else might be there: what is wrong lies below it
        if below and isinstance(value, Mapping):
            continue
        expected = dict.fromkeys(filter(None, map(_expected, several)))
        own = next((details["msg"] for details in several if details["type"] == "invalid"), None)
        if own is not None:
            yield path, own
        elif expected:
            shown = "" if path[0] == "client" else f", not {_shown(value)}"
            yield path, f"must be {' or '.join(expected)}{shown}"
        else:
            yield path, _message(several[0], path, model)


def _message(details: ErrorDetails, path: SpecPath, model: type[BaseModel]) -> str:
    kind, context = details["type"], details.get("ctx") or {}
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        retired = retired_key(path, details["input"])
        return retired or unknown_key(str(path[-1]), keys_at(path[:-1], model))
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


def unknown_key(key: str, known: Iterable[str]) -> str:
    """The message about a key that is not among `known`."""
    return f"unknown key; {instead_of(key, known)}"


def instead_of(word: str, known: Iterable[str]) -> str:
    """The end of a message about a `word` that is not among `known`: which was probably meant."""
    names = sorted(known)
    if near := get_close_matches(word, names, n=1):
        return f"did you mean `{near[0]}`?"
    there = ", ".join(f"`{name}`" for name in names)
    return f"there {'is' if len(names) == 1 else 'are'} {there or 'none'}"


def keys_at(path: SpecPath, model: type[BaseModel]) -> list[str]:
    """The keys of the map at `path` of a `model`; none where any are allowed."""
    annotation: Any = model
    for part in path:
        inner = model_in(annotation)
        field = inner.model_fields.get(str(part)) if inner else None
        if field is not None:
            annotation = field.annotation
        elif (item := _item_in(annotation)) is not None:
            annotation = item
        else:
            return []
    inner = model_in(annotation)
    return list(inner.model_fields) if inner else []


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a value may be, alone or beside others."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Annotated):
        models = (model_in(argument) for argument in get_args(annotation))
        return next((model for model in models if model), None)
    return None


def _item_in(annotation: Any) -> Any:
    """The type of what a list or a map of values holds, alone or beside others."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (list, tuple, dict):
        return next(argument for argument in reversed(arguments) if argument is not Ellipsis)
    if origin in (Union, UnionType, Annotated):
        return next((item for item in map(_item_in, arguments) if item is not None), None)
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
