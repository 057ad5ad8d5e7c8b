"""An API with nothing left to defaults: what a specification comes to once resolved.

Only shapes and what follows from one of them alone belong here; they are made in `resolve.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from dlt.common.normalizers.naming.snake_case import NamingConvention
from pydantic import Field

from timetracking_assets.spec.automation import Condition, ProbeSpec
from timetracking_assets.spec.crons import gaps
from timetracking_assets.spec.model import (
    QuotaSpec,
    RateLimitSpec,
    ResourceSpec,
    RetrySpec,
    WhoamiSpec,
)
from timetracking_assets.spec.variables import variable_names

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
class Schedule:
    """A cron of five fields and the IANA name of its zone."""

    cron: str
    timezone: str

    @property
    def gaps(self) -> tuple[timedelta, timedelta]:
        """The shortest and the longest time from one tick to the next."""
        return gaps(self.cron)


@dataclass(frozen=True)
class Freshness:
    """How old a table may be: `fail_after` since the last load, or (`deadlines`) a load in the
    last `within` before each deadline."""

    fail_after: timedelta | None = None
    warn_after: timedelta | None = None
    deadlines: Schedule | None = None
    within: timedelta = timedelta()


@dataclass(frozen=True)
class Automation:
    """How one resource is kept up to date; `lookback` is in days."""

    lookback: int = 0
    schedule: Schedule | None = None
    full_reread: Schedule | None = None
    freshness: Freshness | None = None
    probe: ProbeSpec | None = None
    condition: Condition = "none"


class Resource(ResourceSpec):
    """One endpoint: its specification with the defaults merged, and what that means.

    Copies with other values are made by `model_copy(update={...})`.
    """

    api: str
    data_selector: str
    parent: Parent | None = None
    automation: Automation = Field(default_factory=Automation)
    """What `schedule`, `lookback`, `full_reread`, `freshness` and `probe` come to."""
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
    load_timeout: float
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
