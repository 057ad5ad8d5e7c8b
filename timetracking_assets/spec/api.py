"""An API with everything said: what a specification comes to once resolved.

Only shapes and what follows from one of them alone belong here; they are made in `resolution.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from dlt.common.normalizers.naming.snake_case import NamingConvention

from timetracking_assets.spec.base import SyncMode
from timetracking_assets.spec.model import (
    ColumnSpec,
    DeletedIdsSpec,
    QuotaSpec,
    RateLimitSpec,
    RetrySpec,
    TotalSpec,
    WhoamiSpec,
)
from timetracking_assets.spec.quality import ChecksSpec, HoursSpec, ReferenceSpec
from timetracking_assets.spec.resolve_automation import Automation
from timetracking_assets.spec.variables import variable_names
from timetracking_assets.spec.window import PartitionsSpec, WindowSpec

CONFIGURED = "configured"
"""Name under which ids from configuration are used in a path: `{resources.configured.<id>}`."""

WINDOWS = "windows"
"""Name of the parent that carries several windows' parameters to a resource without a parent."""

LISTED_AS_DELETED = "_deleted"
"""Column that marks the ids of `deleted_ids` while they are staged; no row of a table has it."""

_naming = NamingConvention()


def column_name(field_name: str) -> str:
    """The column that a field (or `a__b` path of fields) of the API has in the warehouse."""
    return _naming.normalize_path(field_name)


@dataclass(frozen=True)
class Parent:
    """Where a fan-out takes its ids: a resource (or `configured`), and the fields that it uses."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """One endpoint with everything said: nothing is left to defaults from here on."""

    api: str
    name: str
    description: str | None
    endpoint: dict[str, Any]
    data_selector: str
    page_size: int | None
    max_pages: int
    repeated_page: Literal["refuse", "stop"]
    success_codes: tuple[int, ...]
    null_is_empty: bool
    primary_key: tuple[str, ...]
    sync_mode: SyncMode
    partitions: PartitionsSpec | None
    window: WindowSpec | None
    columns: dict[str, ColumnSpec]
    parent: Parent | None
    include_from_parent: tuple[str, ...]
    automation: Automation = field(default_factory=Automation)
    total: TotalSpec | None = None
    max_removed_share: float = 0.2
    max_rows_per_answer: int | None = None
    deleted_field: str | None = None
    deleted_ids: DeletedIdsSpec | None = None
    owners: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    references: dict[str, ReferenceSpec] = field(default_factory=dict)
    hours: HoursSpec | None = None
    checks: ChecksSpec = field(default_factory=ChecksSpec)
    position: int = 0
    """Its index in the file's `resources`, for messages."""

    @property
    def kind(self) -> Literal["snapshot", "daily", "yearly"]:
        """How the resource is divided: not at all, or into days or years."""
        return self.partitions.type if self.partitions else "snapshot"

    @property
    def label(self) -> str:
        """The resource as messages name it: `api/resource`, like its asset."""
        return f"{self.api}/{self.name}"

    @property
    def any_text_columns(self) -> frozenset[str]:
        """Columns of text that take any value: what isn't text, as its JSON text."""
        return frozenset(
            name
            for name, column in self.columns.items()
            if column.data_type == column.on_type_mismatch == "text"
        )

    @property
    def deletion_mark(self) -> str | None:
        """The column that is set in a staged row that is to be removed from the table."""
        return LISTED_AS_DELETED if self.deleted_ids else self.deleted_field


@dataclass(frozen=True)
class Api:
    """One API, ready to be turned into dlt sources and assets."""

    name: str
    description: str | None
    client: dict[str, Any]
    ids: dict[str, str]
    retry: RetrySpec
    rate_limit: RateLimitSpec | None
    quota: QuotaSpec
    max_response_bytes: int
    concurrency: int
    resources: dict[str, Resource]
    whoami: WhoamiSpec | None = None
    runs_by_itself: bool = False
    """Whether schedules and sensors are on without being switched on in the UI."""

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        """All endpoints of the resources, those of `deleted_ids` too."""
        resources = self.resources.values()
        feeds = [resource.deleted_ids.endpoint for resource in resources if resource.deleted_ids]
        return [*(resource.endpoint for resource in resources), *feeds]

    @property
    def variables(self) -> list[str]:
        """All environment variables that the API needs, in the order of the file."""
        return variable_names([self.client, self.ids, *self.endpoints])

    @property
    def secret_variables(self) -> list[str]:
        """The variables whose values must never be shown: those in `auth`, headers, query
        parameters and bodies."""
        keys = ("headers", "params", "json", "data")
        places = [endpoint.get(key) for endpoint in self.endpoints for key in keys]
        return variable_names([self.client.get("auth"), self.client.get("headers"), *places])
