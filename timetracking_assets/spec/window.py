"""The keys of a `defs.yaml` that say which parts a resource has, and how one is asked for.

Only shapes belong here; what a window is, and what its parameters come to, is in `windows.py`.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.base import SpecModel


def start_of(partitions: PartitionsSpec, path: SpecPath = ("partitions", "start")) -> date:
    """The first day of the first partition. Raises SpecError for a text that is no day or year."""
    text = partitions.start.strip()
    try:
        start = date(int(text), 1, 1) if re.fullmatch(r"\d{4}", text) else date.fromisoformat(text)
    except ValueError:
        start = None
    if start is None or (partitions.type == "daily" and re.fullmatch(r"\d{4}", text)):
        wanted = "a day, `YYYY-MM-DD`" if partitions.type == "daily" else "a year, `YYYY`"
        raise SpecError(path, f"'{partitions.start}' is not {wanted}")
    return start.replace(month=1, day=1) if partitions.type == "yearly" else start


def _as_date_text(value: object) -> object:
    # unquoted in YAML, a day is a date and a year a number
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if type(value) is int else value


class PartitionsSpec(SpecModel):
    """An asset's partitions, from `start` to the last complete day, or to the current year."""

    type: Literal["daily", "yearly"]
    start: Annotated[str, BeforeValidator(_as_date_text)] = Field(
        description="first day, `YYYY-MM-DD` (or first year, `YYYY`)"
    )
    timezone: str = Field("UTC", description="IANA name of the zone in which a day or year begins")
    current: bool = Field(
        False,
        description="daily: true makes the running day a partition, too (the current year always "
        "is one)",
    )


class WindowSpec(SpecModel):
    """How a window is asked for, and which column tells that a row lies in it."""

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
    timezone: str = Field(
        "UTC",
        description="zone in which `iso` and patterns are written (IANA name); a `date` is a day "
        "of the partitions' zone",
    )
    end_inclusive: bool = Field(
        False,
        description="true: the API counts the last day in, so that day is asked for instead of the "
        "one after it (`format: date` only)",
    )
    max_days: int | None = Field(
        None,
        gt=0,
        description="the most days that the API answers at once; a longer window is asked for in "
        "several series of requests",
    )

    @property
    def asks_by_day(self) -> bool:
        """Whether the format can't tell one hour of a day from another."""
        noon = datetime(2000, 1, 1, 12)
        hours = noon.strftime(self.format) != noon.replace(hour=13).strftime(self.format)
        return self.format == "date" or ("%" in self.format and not hours)
