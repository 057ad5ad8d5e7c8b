"""The model of one API's specification, as it is written in `defs.yaml`.

Only shapes belong here: which keys there are, their types and defaults. `client`, `endpoint` and
`include_from_parent` are dlt's own grammar and pass through untouched (dlt validates them, see
`source.py`); every other key is ours because dlt has no word for it. What keys mean together
(parents, keys, windows) is resolved in `api.py`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SyncMode = Literal["snapshot", "window", "changes"]
DataType = Literal["text", "bigint", "double", "bool", "timestamp", "date", "decimal", "json"]
TimeFormat = Literal["iso", "unix_seconds", "unix_milliseconds"]


def _as_date_text(value: object) -> object:
    # unquoted in YAML, a day is a date and a year a number
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if type(value) is int else value


Names = str | list[str]


class SpecModel(BaseModel):
    """Refuses unknown keys, so that a misspelt one can't pass for a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    primary_key: Names | None = Field(
        None,
        description="the column or columns that identify a row; `[]` if none do: the table is then "
        "replaced by each answer",
    )
    page_size: int | None = Field(
        None, gt=0, description="rows of a full page: a shorter one is the last"
    )
    repeated_page: Literal["refuse", "stop"] = Field(
        "refuse",
        description="what a page means that holds the same rows as the one before it: `stop` for "
        "an API that repeats its last page, else it is an error",
    )
    success_codes: list[Annotated[int, Field(ge=100, lt=600)]] = Field(
        default_factory=list,
        description="HTTP status codes that are answers, too, beside 200; from 400 on (an API that "
        "says 404 for an empty list) they mean that there are no rows",
    )
    null_is_empty: bool = Field(
        False, description="true: `null` in the place of the rows means that there are none"
    )
    sync_mode: SyncMode = Field("snapshot", description="what an answer means")
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
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
    repeated_page: Literal["refuse", "stop"] | None = None
    success_codes: list[Annotated[int, Field(ge=100, lt=600)]] | None = None
    null_is_empty: bool | None = None
    sync_mode: SyncMode | None = None
    partitions: PartitionsSpec | None = None
    window: WindowSpec | None = None
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
    owners: list[str] | None = None
    tags: dict[str, str] = Field(default_factory=dict)


class WhoamiSpec(SpecModel):
    """An endpoint that tells whose credentials are used, for `timetracking doctor`."""

    path: str = Field(description="path below the base URL, such as `v1/me`")
    field: str = Field(description="dotted path of the name or address in its answer")


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
    whoami: WhoamiSpec | None = Field(None, description="who the credentials belong to")
    ids: dict[str, str] = Field(
        default_factory=dict,
        description="ids from configuration, for paths: name of the id -> `${VARIABLE}` that "
        "holds a comma-separated list; used as `{resources.configured.<name>}`",
    )
    retry: RetrySpec = Field(default_factory=lambda: RetrySpec())
    resource_defaults: ResourceDefaults = Field(default_factory=lambda: ResourceDefaults())
    resources: list[ResourceSpec] = Field(min_length=1)
    select: list[str] | None = Field(
        None, description="names of the resources to use; the others become no assets"
    )
    exclude: list[str] = Field(
        default_factory=list, description="names of resources that become no assets"
    )
