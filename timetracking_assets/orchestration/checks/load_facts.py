"""The facts of a load: written as the metadata of its materialization, and read back by checks.

Every number was counted; nothing is computed here. What the facts must come to is in
`reconciliation.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from timetracking_assets.ingest.windows import Window
from timetracking_assets.orchestration.asset_specs import asset_key, table_schema
from timetracking_assets.spec.api import Resource

if TYPE_CHECKING:
    from timetracking_assets.ingest.load.report import LoadReport


@dataclass(frozen=True)
class LoadFacts:
    """The counts of one load. `keys_held` and `rows_in_scope` are the table's, right after it;
    they are None where only the materialization is left, and the table must be asked.
    """

    window: Window | None
    rows_in_answer: int
    distinct_keys: int
    rows_outside_window: int
    rows_marked_deleted: int
    stated_total: int | None
    repeated_keys: Any
    list_differences: tuple[str, ...] = ()
    """What the API states of its lists that is not so, a sentence each."""
    rows_kept: int = 0
    """Rows that the answer does not hold, but that stay: that they are gone was not confirmed."""
    keys_held: int | None = None
    rows_in_scope: int | None = None
    rows_written: int | None = None
    """The answer's rows that the table did not hold as they are; None where it isn't known."""

    @classmethod
    def of_report(cls, report: LoadReport) -> LoadFacts:
        """The facts of a load that has just been done."""
        changes = report.changes
        scope = {
            "snapshot": changes.row_count,
            "window": changes.window_row_count,
            "changes": None,
        }[report.resource.sync_mode]
        return cls(
            window=report.window,
            rows_in_answer=changes.rows,
            distinct_keys=changes.distinct_keys,
            rows_outside_window=report.rows_outside_window,
            rows_marked_deleted=changes.marked,
            stated_total=report.totals.rows,
            list_differences=tuple(report.totals.differences),
            repeated_keys=[list(key) for key in changes.repeated_keys],
            rows_kept=report.rows_kept,
            keys_held=changes.keys_held,
            rows_in_scope=scope,
            rows_written=changes.written,
        )

    @classmethod
    def of_latest_materialization(
        cls, instance: dg.DagsterInstance, resource: Resource
    ) -> LoadFacts | None:
        """The facts that the asset's latest materialization carries; None if it carries none."""
        event = instance.get_latest_materialization_event(asset_key(resource))
        materialization = event.asset_materialization if event else None
        if materialization is None:
            return None
        values = {name: value.value for name, value in materialization.metadata.items()}
        if not {"rows_in_answer", "distinct_keys"} <= values.keys():
            return None
        return cls(
            window=_window(values, resource),
            rows_in_answer=_number(values, "rows_in_answer"),
            distinct_keys=_number(values, "distinct_keys"),
            rows_outside_window=_number(values, "rows_outside_window"),
            rows_marked_deleted=_number(values, "rows_marked_deleted"),
            stated_total=_number(values, "stated_total") if "stated_total" in values else None,
            repeated_keys=values.get("repeated_keys", []),
            list_differences=tuple(map(str, _list(values, "list_differences"))),
            rows_kept=_number(values, "rows_kept"),
        )


def _list(values: Mapping[str, Any], name: str) -> list[Any]:
    value = values.get(name)
    return value if isinstance(value, list) else []


def _number(values: Mapping[str, Any], name: str) -> int:
    return int(values.get(name) or 0)


def _window(values: Mapping[str, Any], resource: Resource) -> Window | None:
    text = values.get("window")
    if resource.partitions is None or not isinstance(text, str):
        return None
    return Window.parse(text, resource.partitions.timezone)


def partition_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Of a load's metadata, what each partition of a range has: which load it was, and of what."""
    return {name: metadata[name] for name in ("window", "load_id") if name in metadata}


def load_metadata(report: LoadReport) -> dict[str, Any]:
    """Metadata of the materialization that `report` describes. Seconds, bytes and rows are plain
    numbers, so that Dagster plots them.
    """
    changes, resource = report.changes, report.resource
    metadata: dict[str, Any] = {
        "dagster/row_count": changes.row_count,
        "dagster/table_name": f"{resource.api}.{resource.name}",
        "dagster/column_schema": table_schema(resource, report.column_types),
        "rows_extracted": report.rows_extracted,
        "rows_in_answer": changes.rows,
        "distinct_keys": changes.distinct_keys,
        "rows_inserted": changes.inserted,
        "rows_updated": changes.updated,
        "rows_unchanged": changes.unchanged,
        "rows_deleted": changes.deleted,
        "requests": report.requests.requests,
        "retries": report.requests.retries,
        "bytes": report.requests.bytes,
        "seconds_rate_limited": round(report.requests.seconds_rate_limited, 3),
        "load_id": report.load_id,
        **{f"seconds_{name}": round(spent, 3) for name, spent in report.seconds.items()},
    }
    if report.window is not None:
        metadata["window"] = str(report.window)
        metadata["dagster/partition_row_count"] = changes.window_row_count
        metadata["rows_outside_window"] = report.rows_outside_window
    if report.late.days:
        metadata["late_rows"] = sum(report.late.days.values())
        metadata["late_days"] = [day.isoformat() for day in sorted(report.late.days)]
    if report.totals.rows is not None:
        metadata["stated_total"] = report.totals.rows
    if report.totals.differences:
        metadata["list_differences"] = report.totals.differences
    if resource.deletion_mark:
        metadata["rows_marked_deleted"] = changes.marked
    if report.requests.requests_in_vain:
        metadata["requests_in_vain"] = report.requests.requests_in_vain
    if report.requests.seconds_quota:
        metadata["seconds_quota"] = round(report.requests.seconds_quota, 3)
    if report.requests.quota_remaining is not None:
        metadata["quota_remaining"] = report.requests.quota_remaining
    if report.requests.credential_columns:
        metadata["credential_columns"] = ", ".join(sorted(report.requests.credential_columns))
    if report.requests.characters_replaced:
        metadata["characters_replaced"] = report.requests.characters_replaced
    if report.requests.non_finite_numbers:
        metadata["non_finite_numbers"] = report.requests.non_finite_numbers
    if report.requests.assumed_encoding:
        metadata["assumed_encoding"] = report.requests.assumed_encoding
    if changes.repeated_keys:
        metadata["repeated_keys"] = [list(key) for key in changes.repeated_keys]
    if report.new_columns:
        metadata["new_columns"] = ", ".join(report.new_columns)
    if report.retyped_columns:
        changes_of_type = (f"{name}: {kind}" for name, kind in report.retyped_columns.items())
        metadata["retyped_columns"] = ", ".join(changes_of_type)
    if report.renamed_fields:
        metadata["renamed_fields"] = {c: list(path) for c, path in report.renamed_fields.items()}
    if report.placeholders:
        metadata["placeholders"] = dict(sorted(report.placeholders.items()))
    for name in (
        "times_overtaken",
        "times_shifted",
        "confirmation_requests",
        "rows_missed",
        "rows_kept",
    ):
        if count := getattr(report, name):
            metadata[name] = count
    return metadata
