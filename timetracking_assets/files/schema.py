"""The models of a `defs.yaml`: that of an API, whose every key may be left to what is extended, and
that of the model of hours.

They are made from `ApiSpec` and `HoursModelSpec`, so that a key is described once. A file is judged
as a whole when it has been laid over what it extends, and its templates have values.

`python -m timetracking_assets.files.schema` writes `attributes_schema.json`, which every code
location asks for when it loads: making it from the model would take longer than all files do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from copy import copy
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)
from pydantic.fields import FieldInfo

from timetracking_assets.files.locations import COMPONENT
from timetracking_assets.spec.base import SpecModel
from timetracking_assets.spec.hours_model import HoursModelSpec
from timetracking_assets.spec.mistakes import Mistakes, mistakes_in
from timetracking_assets.spec.model import ApiSpec

_REQUIRED = {"ApiSpec": ["name"], "ResourceSpec": ["name"]}


@cache
def _partial(model: type[BaseModel]) -> type[BaseModel]:
    fields: dict[str, tuple[Any, FieldInfo]] = {}
    for name, info in model.model_fields.items():
        changed = copy(info)
        # a text may still be a template, which only its value can be judged of
        changed.metadata = [m for m in info.metadata if not isinstance(m, AfterValidator)]
        if name not in _REQUIRED.get(model.__name__, []):
            changed.annotation = _partial_type(info.annotation) | None
            changed.default, changed.default_factory = None, None
        fields[name] = (changed.annotation, changed)
    return create_model(  # type: ignore[call-overload, no-any-return]
        model.__name__.replace("Spec", "Changes"),
        __base__=SpecModel,
        __doc__=model.__doc__,
        **fields,
    )


def _partial_type(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _partial(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return Union[tuple(_partial_type(argument) for argument in arguments)]  # noqa: UP007
    if origin in (list, dict):
        return origin[tuple(_nullable_value(origin, a) for a in arguments)]
    return annotation


def _nullable_value(origin: type, argument: Any) -> Any:
    partial = _partial_type(argument)
    # an entry of a map is taken out by null
    return partial if origin is list or argument is str else partial | None


ATTRIBUTES_SCHEMA = Path(__file__).with_name("attributes_schema.json")


def attributes_schema() -> dict[str, Any]:
    """The JSON schema of a file's attributes, as `dg` and editors take it."""
    schema: dict[str, Any] = json.loads(ATTRIBUTES_SCHEMA.read_text(encoding="utf-8"))
    return schema


def schema_of_model() -> dict[str, Any]:
    """The same, made from the model: what `attributes_schema.json` must hold."""
    schema: dict[str, Any] = _nullable(ApiFileModel.model_json_schema())
    for definition in schema["$defs"].values():
        if definition.get("type") == "object":
            # null takes a map out
            definition["type"] = ["object", "null"]
    return schema


def file_schema(grammar: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON schema of a whole `defs.yaml`.

    `grammar` has the schemas of what dlt names, by their keys: of `client` and `endpoint`.
    """
    attributes = attributes_schema()
    for model in (attributes, *attributes["$defs"].values()):
        properties = model.get("properties", {})
        for key in grammar.keys() & properties.keys():
            # `unified` has a `client`, too: the name of a column
            if "object" in properties[key].get("type", ()):
                properties[key] |= grammar[key]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "defs.yaml",
        "type": "object",
        "properties": {"type": {"const": COMPONENT}, "attributes": attributes},
        "required": ["type", "attributes"],
        "$defs": attributes.pop("$defs"),
    }


def _nullable(schema: Any) -> Any:
    """`schema` without the alternatives that only add null: a validator names no key below them."""
    if isinstance(schema, list):
        return [_nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(item) for key, item in schema.items()}
    match plain.get("anyOf"):
        case [{"$ref": str(name)}, {"type": "null"}]:
            del plain["anyOf"]
            plain["$ref"] = name
        case [{"type": str(kind), **rest}, {"type": "null"}] if "const" not in rest:
            del plain["anyOf"]
            plain |= {**rest, "type": [kind, "null"]}
            if "enum" in plain:
                plain["enum"] = [*plain["enum"], None]
    return plain


def mistakes_of_shape(attributes: Mapping[str, Any]) -> Mistakes:
    """What is wrong with a file's own attributes, whatever it extends; templates may be texts."""
    try:
        ApiFileModel.model_validate(attributes)
    except ValidationError as error:
        return mistakes_in(error, attributes, ApiFileModel)
    return Mistakes()


class ApiFileModel(_partial(ApiSpec)):  # type: ignore[misc]
    """One connected API: what `defs.yaml` holds under `attributes`."""

    model_config = ConfigDict(
        title="RestApi",
        json_schema_extra={
            "anyOf": [{"required": ["extends"]}, {"required": ["client", "resources"]}]
        },
    )

    extends: str | None = Field(
        None,
        description="the API that this file starts from: the name of a shipped one, or the path of "
        "another folder (`../other_api`); the other keys then hold only what differs",
    )
    rename: dict[str, str] | None = Field(
        None, description="new names for resources of the API that is extended: old -> new"
    )


class HoursFileModel(_partial(HoursModelSpec)):  # type: ignore[misc]
    """The model of hours: what `defs.yaml` holds under `attributes`."""

    model_config = ConfigDict(title="HoursModel")


if __name__ == "__main__":
    text = json.dumps(schema_of_model(), indent=1, ensure_ascii=False) + "\n"
    ATTRIBUTES_SCHEMA.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{ATTRIBUTES_SCHEMA}\n")
