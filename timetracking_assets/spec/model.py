"""The model of one API's specification, as it is written in `defs.yaml`.

Only shapes belong here: which keys there are, their types and defaults. `client`, `endpoint` and
`include_from_parent` are dlt's own grammar and pass through untouched (dlt validates them, see
`ingest/pages/rest_api.py`); every other key is ours, for what that grammar lacks. What keys mean
together (parents, keys, windows) is resolved in `resolve.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from timetracking_assets.spec.automation import (
    ApiScheduleSpec,
    AutomationSpec,
    CronSpec,
    Off,
    as_off,
    as_schedule,
)
from timetracking_assets.spec.base import (
    DataType,
    FieldPath,
    Names,
    SpecModel,
    StatusCode,
    SyncMode,
    TimeFormat,
    TimeZone,
)
from timetracking_assets.spec.quality import ChecksSpec, Reference
from timetracking_assets.spec.unified import UnifiedSpec
from timetracking_assets.spec.window import PartitionsSpec, WindowSpec


class RetrySpec(SpecModel):
    """Which requests are repeated, and when. Lost connections and time-outs always are."""

    status_codes: list[int] = Field([429, 500, 502, 503, 504])
    max_retries: int = Field(3, ge=0, le=20, description="repetitions after the first attempt")
    backoff_factor: float = Field(2, ge=0, description="waits factor * 1, 2, 4, ... seconds")
    max_delay: float = Field(
        120,
        gt=0,
        description="longest wait in seconds, Retry-After included; never less than the quota's "
        "`max_wait`",
    )
    timeout: float = Field(60, gt=0, description="seconds without a byte before giving up")
    total_timeout: float | None = Field(
        None,
        gt=0,
        description="seconds before a request is given up that has not ended, however many bytes "
        "have come; left out: 10 times `timeout`",
    )

    @property
    def total(self) -> float:
        """Seconds that a request may take as a whole."""
        return 10 * self.timeout if self.total_timeout is None else self.total_timeout


class RateLimitSpec(SpecModel):
    """How many requests an API may get from all its resources together, retries too.

    Each process keeps to it alone, unless TIMETRACKING_LIMITS names a server that all share.
    """

    requests: int = Field(10, gt=0, description="the most requests in any `per_seconds`")
    per_seconds: float = Field(1, gt=0, description="length of that time in seconds")


class QuotaSpec(SpecModel):
    """What to do about an answer 429 or 402, which may hold the time when the quota comes back."""

    max_wait: float = Field(
        120,
        ge=0,
        description="wait for the reset if it is at most so many seconds away, else fail at once",
    )
    reset_header: str | None = Field(
        None,
        description="response header with the time when the quota comes back, where it isn't "
        "Retry-After: seconds from now, UNIX time, or a date (HTTP or ISO 8601)",
    )
    remaining_header: str | None = Field(
        None, description="response header with the number of requests left in the quota"
    )


class WhoamiSpec(SpecModel):
    """An endpoint that identifies the owner of the credentials, for `timetracking doctor`."""

    path: str = Field(description="path below the base URL, such as `v1/me`")
    field: str = Field(description="dotted path of the name or address in its answer")


class ColumnSpec(SpecModel):
    """A declared column of a table. A declared type wins over what the answers look like."""

    data_type: DataType = Field(description="dlt's name of the type")
    field: FieldPath | None = Field(
        None,
        description="the API's field that the column holds, where the column's name is not the one "
        "that the field would get: its name as the API writes it, or, in a nested object, the list "
        "of names that leads to it",
    )
    nullable: bool = Field(True, description="false: a row without a value is refused")
    description: str | None = Field(None, description="shown in Dagster's column schema")
    format: TimeFormat = Field(
        "iso", description="how the API writes a timestamp: ISO 8601 text, or a number since 1970"
    )
    timezone: TimeZone = Field(
        "UTC", description="zone of ISO timestamps that name none (IANA name); offsets win"
    )
    on_type_mismatch: Literal["refuse", "text"] = Field(
        "refuse",
        description="a value that does not fit: `refuse` the load, or keep the column as `text` "
        "from then on",
    )


class TotalSpec(SpecModel):
    """Where an answer states how long the whole list is: one of `path` and `header`."""

    path: str | None = Field(None, description="dotted path in the answer's envelope")
    header: str | None = Field(
        None, description="name of a response header; the total of `Content-Range` is read, too"
    )
    unit: Literal["rows", "pages", "remaining"] = Field(
        "rows",
        description="what is counted: the list's rows, its pages, or the rows that remain after "
        "the page",
    )


class DeletedIdsSpec(SpecModel):
    """Another endpoint that lists the ids of deleted rows."""

    endpoint: dict[str, Any] = Field(description="dlt's `endpoint`, as a resource has it")
    field: str = Field(
        "id", description="field of a listed row that holds the primary key; unused for bare ids"
    )
    start_param: str | None = Field(None, description="query parameter for the window's start")
    end_param: str | None = Field(None, description="query parameter for the window's end")


class ResourceDefaults(AutomationSpec):
    """What the resources of an API have in common; a resource's own keys win."""

    endpoint: dict[str, Any] = Field(default_factory=dict, description="dlt's `endpoint`")
    primary_key: Names = Field(
        (),
        description="the column or columns that identify a row; `[]` if none do: the table is then "
        "replaced by each answer",
    )
    page_size: int | None = Field(
        None, gt=0, description="rows of a full page: a shorter one is the last"
    )
    max_pages: int = Field(
        100_000, gt=0, description="the most pages of one list: one that goes on is an error"
    )
    repeated_page: Literal["refuse", "stop"] = Field(
        "refuse",
        description="what a page means that holds the same rows as the one before it: `stop` for "
        "an API that repeats its last page, else it is an error",
    )
    success_codes: tuple[StatusCode, ...] = Field(
        (),
        description="HTTP status codes that are answers, too, beside 200; from 400 on (an API that "
        "answers an empty list with 404) they mean that there are no rows",
    )
    null_is_empty: bool = Field(
        False, description="true: `null` in the place of the rows means that there are none"
    )
    sync_mode: SyncMode = Field("snapshot", description="what an answer means")
    total: TotalSpec | None = Field(
        None, description="where an answer states its number of rows; `rows_reconciled` compares"
    )
    max_removed_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="a snapshot that would remove a larger share of a table of over 20 rows is "
        "refused",
    )
    confirm_removal: Literal["unstated", "always", "never"] = Field(
        "unstated",
        description="when lists are read again before rows that they do not hold are removed: "
        "`unstated`, where no total of rows excludes that they shifted while they were read; "
        "`always`, wherever they have several pages; `never`, for an API whose pages stay stable",
    )
    max_rows_per_answer: int | None = Field(
        None,
        gt=1,
        description="rows at which the API cuts an answer off: a window that reaches it is asked "
        "for again in halves, down to an hour",
    )
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
    checks: ChecksSpec = Field(default_factory=ChecksSpec, description="thresholds of checks")
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)


class ResourceSpec(ResourceDefaults):
    """One endpoint of an API: one asset, one dlt resource, one table."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str | None = None
    schedule: Annotated[CronSpec | Off | None, BeforeValidator(as_schedule)] = Field(
        None, description="its own cron, as a text or with a `timezone`; `off` for no schedule"
    )
    include_from_parent: tuple[str, ...] = Field(
        (), description="dlt's: fields of the parent that become columns"
    )
    outer_fields: dict[str, str] = Field(
        default_factory=dict,
        description="where a `data_selector` goes through several places by `*` (`groups.*.rows`): "
        "column -> what a row lies in, by its path; `groups.*` is the key there, `groups.*.id` a "
        "field beside the rows",
    )
    deleted_field: str | None = Field(
        None, description="column that is set in deleted rows: these are removed"
    )
    deleted_ids: DeletedIdsSpec | None = Field(
        None, description="endpoint that lists deleted ids: these rows are removed"
    )
    partitions: PartitionsSpec | None = None
    window: WindowSpec | None = None
    references: dict[str, Reference] = Field(
        default_factory=dict, description="column -> resource whose rows its values identify"
    )
    unified: UnifiedSpec | None = Field(
        None, description="what the rows are in the one model of hours"
    )


class ApiSpec(SpecModel):
    """One connected API: what `defs.yaml` holds under `attributes`."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        description="asset key prefix, group and dataset (schema) in the warehouse",
    )
    description: str | None = None
    client: dict[str, Any] = Field(
        description="dlt's `client`; `${VARIABLE}` is an environment variable"
    )
    whoami: WhoamiSpec | None = Field(None, description="the owner of the credentials")
    ids: dict[str, str] = Field(
        default_factory=dict,
        description="ids from configuration, for paths: name of the id -> `${VARIABLE}` that "
        "holds a comma-separated list; used as `{resources.configured.<name>}`",
    )
    concurrency: int = Field(
        4,
        ge=1,
        le=32,
        description="most requests of a load at a time, over several parents or pages",
    )
    retry: RetrySpec = Field(default_factory=RetrySpec)
    rate_limit: RateLimitSpec | None = Field(
        None,
        description="left out: 10 requests a second, and none for an API on this machine",
    )
    quota: QuotaSpec = Field(default_factory=QuotaSpec)
    max_response_bytes: int = Field(
        512 * 1024 * 1024,
        gt=0,
        description="the most bytes of one answer, after decompression: a larger one is refused",
    )
    load_timeout: float = Field(
        12 * 3600,
        gt=0,
        description="seconds before a load is given up whose requests have not ended",
    )
    schedule: Annotated[ApiScheduleSpec | Off, BeforeValidator(as_off)] = Field(
        default_factory=ApiScheduleSpec, description="when it is loaded, or `off`"
    )
    resource_defaults: ResourceDefaults = Field(default_factory=ResourceDefaults)
    resources: list[ResourceSpec] = Field(min_length=1)
    select: list[str] | None = Field(
        None, description="names of the resources to use; the others become no assets"
    )
    exclude: list[str] = Field(
        default_factory=list, description="names of resources that become no assets"
    )
