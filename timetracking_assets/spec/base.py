"""What every model of a specification shares: its base class, types of values, names of zones."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from timetracking_assets.errors import SpecError, SpecPath

SyncMode = Literal["snapshot", "window", "changes"]
DataType = Literal["text", "bigint", "double", "bool", "timestamp", "date", "decimal", "json"]
TimeFormat = Literal["iso", "unix_seconds", "unix_milliseconds"]
Names = str | list[str]
StatusCode = Annotated[int, Field(ge=100, lt=600)]


class SpecModel(BaseModel):
    """Refuses unknown keys, so that a misspelt one can't pass for a default."""

    # built when first asked to judge: most models are only parts of another
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def check_timezone(name: str, path: SpecPath) -> None:
    """Raise SpecError for a name that is not an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        valid = False
    else:
        valid = True
    if not valid:
        raise SpecError(path, f"'{name}' is not an IANA time zone such as Europe/Berlin or UTC")
