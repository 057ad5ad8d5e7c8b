"""The YAML reference, made from the model: `python -m timetracking_assets.files.reference`.

What a key is for is written once, in `spec/`; here it only becomes a page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from timetracking_assets.spec.model import ApiSpec

_HEAD = """\
# YAML reference

Made from the model by `python -m timetracking_assets.files.reference`; edit the
`spec/` instead. `client`, `endpoint` and `include_from_parent` are
[dlt's own grammar](https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic).
"""


def markdown() -> str:
    """The whole page: one section for each map of a `defs.yaml`, one row for each key."""
    sections = [_HEAD, *_section("attributes", ApiSpec, _extension())]
    waiting: list[type[BaseModel]] = [ApiSpec]
    seen = set(waiting)
    while waiting:
        model = waiting.pop(0)
        for name, info in model.model_fields.items():
            inner = _model_in(info.annotation)
            if inner is not None and inner not in seen:
                seen.add(inner)
                waiting.append(inner)
                sections += _section(_section_name(name, inner), inner, {})
    return "\n".join(sections)


def section_of(path: Sequence[str | int]) -> str:
    """The section of the reference that describes the key at `path` of the attributes."""
    section = "attributes"
    model: type[BaseModel] = ApiSpec
    for part in path:
        info = model.model_fields.get(part) if isinstance(part, str) else None
        inner = _model_in(info.annotation) if info else None
        if inner is not None:
            section, model = _section_name(str(part), inner), inner
    return section


def _section_name(key: str, model: type[BaseModel]) -> str:
    """A map that may be written at many keys has a name of its own."""
    return str(model.model_config.get("title") or key)


def _extension() -> dict[str, FieldInfo]:
    from timetracking_assets.files.models import ApiFileModel

    names = ("extends", "rename")
    return {name: ApiFileModel.model_fields[name] for name in names}


def _section(name: str, model: type[BaseModel], more: dict[str, FieldInfo]) -> Iterator[str]:
    yield f"## `{name}`\n"
    yield f"{' '.join((model.__doc__ or '').split())}\n"
    yield "| key | value | default | what for |"
    yield "| --- | --- | --- | --- |"
    # what is a map's own comes before what it shares with others
    own = {key: model.model_fields[key] for key in model.__annotations__}
    for key, info in {**own, **model.model_fields, **more}.items():
        cells = (f"`{key}`", _kind_of(info), _default(info), info.description or "")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    value = list(value) if isinstance(value, tuple) else value
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, BaseModel):
        return "as below"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind_of(info: FieldInfo) -> str:
    """What may be written for a key: what its validator takes, where it names that."""
    return _kind(Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation)


def _kind(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        taken = (getattr(item, "json_schema_input_type", Any) for item in arguments[1:])
        given = (kind for kind in taken if kind not in (Any, PydanticUndefined))
        return _kind(next(given, arguments[0]))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_kind(a) for a in arguments if a is not NoneType)
    if origin in (list, tuple):
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"map of {_kind(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "map"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names.get(annotation, "anything")


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in models if model), None)


if __name__ == "__main__":
    sys.stdout.write(markdown())
