"""The models of a `defs.yaml` as it is written: every key may be left to what is extended, and a
text may still be a template.

They are made from `ApiSpec` and `HoursModelSpec`, so that a key is described once. That takes a
while: only what judges such a file, or describes one, imports this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

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


def mistakes_of_shape(attributes: Mapping[str, Any]) -> Mistakes:
    """What is wrong with a file's own attributes, whatever it extends; templates may be texts."""
    try:
        ApiFileModel.model_validate(attributes)
    except ValidationError as error:
        return mistakes_in(error, attributes, ApiFileModel)
    return Mistakes()
