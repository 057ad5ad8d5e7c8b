"""What every model of a specification shares: its base class and the types of its values."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

SyncMode = Literal["snapshot", "window", "changes"]
DataType = Literal["text", "bigint", "double", "bool", "timestamp", "date", "decimal", "json"]
TimeFormat = Literal["iso", "unix_seconds", "unix_milliseconds"]
StatusCode = Annotated[int, Field(ge=100, lt=600)]


class SpecModel(BaseModel):
    """Refuses unknown keys, so that a misspelt one can't pass for a default."""

    # built when first asked to judge: most models are only parts of another
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def invalid(message: str) -> PydanticCustomError:
    """The error that a validator raises, with `message` as the whole of its text."""
    # a template's braces would be filled in
    return PydanticCustomError("invalid", "{message}", {"message": message})


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        known = False
    else:
        known = True
    if not known:
        raise invalid(f"'{name}' is not an IANA time zone such as Europe/Berlin or UTC")
    return name


TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""The IANA name of a zone."""


def _several(value: Any) -> Any:
    if not isinstance(value, str | list | tuple):
        raise invalid("must be a name or a list of names")
    return [value] if isinstance(value, str) else value


def _not_blank(names: tuple[str, ...]) -> tuple[str, ...]:
    if "" in names:
        raise invalid("must not be empty")
    return names


_Several = BeforeValidator(_several, json_schema_input_type=str | tuple[str, ...])
Names = Annotated[tuple[str, ...], _Several, AfterValidator(_not_blank)]
"""One name, or a list of names."""

FieldPath = Annotated[tuple[str, ...], _Several, Field(min_length=1)]
"""The name of a field, or the names that lead to one; whatever JSON takes for a key is a name."""
