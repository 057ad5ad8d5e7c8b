"""The model of one API's specification, as it is written in `defs.yaml`.

Only shapes belong here: which keys there are, their types and defaults. `client`, `endpoint` and
`include_from_parent` are dlt's own grammar and pass through untouched (dlt validates them, see
`source.py`); every other key is ours because dlt has no word for it. What keys mean together
(parents, keys, windows) is resolved in `api.py`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from timetracking_assets.ingest.quality_spec import ChecksSpec, HoursSpec, Reference
from timetracking_assets.ingest.spec_model import SpecModel

SyncMode = Literal["snapshot", "window", "changes"]
DataType = Literal["text", "bigint", "double", "bool", "timestamp", "date", "decimal", "json"]
TimeFormat = Literal["iso", "unix_seconds", "unix_milliseconds"]


def _as_date_text(value: object) -> object:
    # unquoted in YAML, a day is a date and a year a number
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if type(value) is int else value


Names = str | list[str]


class ColumnSpec(SpecModel):
    """A declared column of a table. A declared type wins over what the answers look like."""

    data_type: DataType = Field(description="dlt's name of the type")
    nullable: bool = Field(True, description="false: a row without a value is refused")
    description: str | None = Field(None, description="shown in Dagster's column schema")
    format: TimeFormat = Field(
        "iso", description="how the API writes a timestamp: ISO 8601 text, or a number since 1970"
    )
    timezone: str = Field(
        "UTC", description="zone of ISO timestamps that name none (IANA name); offsets win"
    )


class PartitionsSpec(SpecModel):
    """An asset's partitions, from `start` to the last complete day, or to the current year."""

    type: Literal["daily", "yearly"]
    start: Annotated[str, BeforeValidator(_as_date_text)] = Field(
        description="first day, `YYYY-MM-DD` (or first year, `YYYY`)"
    )
    timezone: str = Field("UTC", description="IANA name of the zone in which a day or year begins")


class WindowSpec(SpecModel):
    """How a window is asked for, and which column tells that a row lies in it."""

    field: str = Field(description="the column whose value places a row in a window")
    start_param: str | None = Field(None, description="query parameter for the window's start")
    end_param: str | None = Field(None, description="query parameter for the window's end")
    year_param: str | None = Field(None, description="query parameter for a calendar year")
    format: str = Field(
        "%Y-%m-%dT%H:%M:%SZ",
        description="`date`, `unix_seconds`, `unix_milliseconds` or a strftime pattern (in UTC)",
    )


class RetrySpec(SpecModel):
    """Which requests are repeated, and when. Lost connections and time-outs always are."""

    status_codes: list[int] = Field([429, 500, 502, 503, 504])
    max_retries: int = Field(3, ge=0, le=20, description="repetitions after the first attempt")
    backoff_factor: float = Field(2, ge=0, description="waits factor * 1, 2, 4, ... seconds")
    max_delay: float = Field(120, gt=0, description="longest wait in seconds, Retry-After included")
    timeout: float = Field(60, gt=0, description="seconds without a byte before giving up")


class ResourceDefaults(SpecModel):
    """What the resources of an API have in common; each may say otherwise."""

    endpoint: dict[str, Any] = Field(default_factory=dict, description="dlt's `endpoint`")
    primary_key: Names | None = Field(None, description="the columns that identify a row")
    page_size: int | None = Field(
        None, gt=0, description="rows of a full page: a shorter one is the last"
    )
    sync_mode: SyncMode = Field("snapshot", description="what an answer means")
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
    checks: ChecksSpec = Field(default_factory=ChecksSpec, description="thresholds of checks")
    owners: list[str] = Field(default_factory=list)
    tags: dict[str, str] = Field(default_factory=dict)


class ResourceSpec(SpecModel):
    """One endpoint of an API: one asset, one dlt resource, one table."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str | None = None
    endpoint: dict[str, Any] = Field(default_factory=dict, description="dlt's `endpoint`")
    include_from_parent: list[str] = Field(
        default_factory=list, description="dlt's: fields of the parent that become columns"
    )
    primary_key: Names | None = None
    page_size: int | None = Field(None, gt=0)
    sync_mode: SyncMode | None = None
    partitions: PartitionsSpec | None = None
    window: WindowSpec | None = None
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
    references: dict[str, Reference] = Field(
        default_factory=dict, description="column -> resource whose rows its values identify"
    )
    hours: HoursSpec | None = Field(None, description="which columns hold hours of work")
    checks: ChecksSpec = Field(default_factory=ChecksSpec, description="thresholds of checks")
    owners: list[str] | None = None
    tags: dict[str, str] = Field(default_factory=dict)


class ApiSpec(SpecModel):
    """One connected API: what `defs.yaml` holds under `attributes`."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        description="asset key prefix, group and dataset (schema) in the warehouse",
    )
    description: str | None = None
    client: dict[str, Any] = Field(
        description="dlt's `client`; `${VARIABLE}` stands for an environment variable"
    )
    ids: dict[str, str] = Field(
        default_factory=dict,
        description="ids from configuration, for paths: name of the id -> `${VARIABLE}` that "
        "holds a comma-separated list; used as `{resources.configured.<name>}`",
    )
    retry: RetrySpec = Field(default_factory=lambda: RetrySpec())
    resource_defaults: ResourceDefaults = Field(default_factory=lambda: ResourceDefaults())
    resources: list[ResourceSpec] = Field(min_length=1)
