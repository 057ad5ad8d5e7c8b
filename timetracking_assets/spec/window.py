"""The keys of a `defs.yaml` for the parts that a resource has, and how one is requested.

Only shapes belong here; what a window is, and what its parameters come to, is in `windows.py`.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from timetracking_assets.spec.base import SpecModel, TimeZone, invalid


def _as_date_text(value: object) -> object:
    # unquoted in YAML, a day is a date and a year a number
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if type(value) is int else value


_YEAR = re.compile(r"\d{4}")


def _first_day(kind: Literal["daily", "yearly"], start: str) -> date | None:
    """The first day of the partition that `start` names; None for a text that names none."""
    text = start.strip()
    try:
        if not _YEAR.fullmatch(text):
            day = date.fromisoformat(text)
            return day.replace(month=1, day=1) if kind == "yearly" else day
        return date(int(text), 1, 1) if kind == "yearly" else None
    except ValueError:
        return None


class PartitionsSpec(SpecModel):
    """An asset's partitions, from `start` to the last complete day, or to the current year."""

    type: Literal["daily", "yearly"]
    start: Annotated[str, BeforeValidator(_as_date_text)] = Field(
        description="first day, `YYYY-MM-DD` (or first year, `YYYY`)"
    )
    timezone: TimeZone = Field(
        "UTC", description="IANA name of the zone in which a day or year begins"
    )
    current: bool = Field(
        False,
        description="daily: true makes the running day a partition, too (the current year always "
        "is one)",
    )

    @property
    def states_timezone(self) -> bool:
        """Whether the file says the zone."""
        return "timezone" in self.model_fields_set

    @field_validator("start")
    @classmethod
    def _check_start(cls, text: str, info: ValidationInfo) -> str:
        kind = info.data.get("type", "daily")
        if _first_day(kind, text) is None:
            expected = "a day, `YYYY-MM-DD`" if kind == "daily" else "a year, `YYYY`"
            raise invalid(f"'{text}' is not {expected}")
        return text

    @property
    def first_day(self) -> date:
        """The first day of the first partition."""
        day = _first_day(self.type, self.start)
        assert day is not None, "validated"
        return day


class WindowSpec(SpecModel):
    """How a window is requested, and which column places a row in it."""

    field: str = Field(description="the column whose value places a row in a window")
    start_param: str | None = Field(None, description="parameter for the window's start")
    end_param: str | None = Field(None, description="parameter for the window's end")
    year_param: str | None = Field(None, description="parameter for a calendar year")
    location: Literal["params", "json"] = Field(
        "params",
        description="where the parameters go: into the query, or (their names are dotted paths "
        "then) into the JSON body of a POST",
    )
    format: str = Field(
        "%Y-%m-%dT%H:%M:%SZ",
        description="how start and end are written: `iso` (with the zone's offset), `date`, "
        "`unix_seconds`, `unix_milliseconds` or a strftime pattern such as `%Y-%m-%d %H:%M:%S`",
    )
    timezone: TimeZone = Field(
        "UTC",
        description="zone in which `iso` and patterns are written (IANA name). Where a window is "
        "requested by days or years and its rows have timestamps: the zone whose days the API "
        "means; left out, it is that of `partitions`, and where that is left out, too, a day more "
        "is requested on each side",
    )
    end_inclusive: bool = Field(
        False,
        description="true: the API counts the last day in, so that day is requested instead of the "
        "one after it (`format: date` only)",
    )
    max_days: int | None = Field(
        None,
        gt=0,
        description="the most days that the API answers at once; a longer window is requested in "
        "several series of requests",
    )

    @property
    def states_timezone(self) -> bool:
        """Whether the file says the zone."""
        return "timezone" in self.model_fields_set

    @property
    def asks_by_day(self) -> bool:
        """Whether the format is the same for all hours of a day."""
        noon = datetime(2000, 1, 1, 12)
        hours = noon.strftime(self.format) != noon.replace(hour=13).strftime(self.format)
        return self.format == "date" or ("%" in self.format and not hours)
