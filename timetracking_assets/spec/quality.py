"""The model of what a resource declares about the meaning of its data: references, checks.

Only shapes belong here; whether they fit together is judged in `quality_rules.py`. Everything is
optional: a check that has nothing to judge does not exist.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from timetracking_assets.spec.base import SpecModel

Severity = Literal["warn", "error"]
Share = Annotated[float, Field(ge=0, le=1)]


def _short_reference(value: Any) -> Any:
    return {"resource": value} if isinstance(value, str) else value


class ReferenceSpec(SpecModel):
    """The rows that a column's values identify: those of another resource of the same API."""

    resource: str = Field(description="the resource that the column's values identify rows of")
    column: str | None = Field(
        None, description="its column that holds them; without it its primary key"
    )
    name: str = Field("name", description="its column with the name that people know")


Reference = Annotated[
    ReferenceSpec,
    BeforeValidator(_short_reference, json_schema_input_type=str | ReferenceSpec),
]
"""A reference, or the name of a resource alone: `user_id: users`."""


class CheckSpec(SpecModel):
    """What all checks have in common."""

    severity: Severity = Field("warn", description="what a failed check counts as")


class VolumeSpec(CheckSpec):
    """Rows of a day against the median of the same weekday in the weeks before."""

    min_share: float = Field(0.3, ge=0, lt=1, description="fewer than this share is unusual")
    max_share: float = Field(3, gt=1, description="more than this multiple is unusual")
    min_rows: int = Field(10, ge=1, description="no verdict where fewer rows than this are usual")
    weeks: int = Field(8, ge=3, le=52, description="how many weeks back the usual is taken from")


class NullsSpec(CheckSpec):
    """The share of rows without a value, for columns that matter."""

    columns: dict[str, Share] = Field(
        default_factory=dict, description="column -> largest share of rows without a value"
    )


class ReferencesCheckSpec(CheckSpec):
    """Rows whose reference leads nowhere."""

    max_share: Share = Field(0, description="largest share of rows that may point nowhere")


class DurationsSpec(CheckSpec):
    """Negative durations, and those longer than anyone works."""

    max_hours: float = Field(24, gt=0, description="rows of more hours are too long")


class ChecksSpec(SpecModel):
    """Thresholds of the data-quality checks; `null` switches one off."""

    volume: VolumeSpec | None = Field(
        default_factory=VolumeSpec, description="for resources with daily partitions"
    )
    nulls: NullsSpec | None = Field(default_factory=NullsSpec)
    references: ReferencesCheckSpec | None = Field(
        default_factory=ReferencesCheckSpec, description="for resources with `references`"
    )
    durations: DurationsSpec | None = Field(
        default_factory=DurationsSpec,
        description="for resources whose rows are time entries in `unified`",
    )
    schema_changes: CheckSpec | None = Field(default_factory=CheckSpec)
