"""What a materialization says: the report of a load as Dagster's metadata.

Every number was counted; nothing is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from timetracking_assets.orchestration.asset_specs import table_schema

if TYPE_CHECKING:
    from timetracking_assets.ingest.load.report import LoadReport


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
    if resource.deletion_mark:
        metadata["rows_marked_deleted"] = changes.marked
    if report.requests.seconds_quota:
        metadata["seconds_quota"] = round(report.requests.seconds_quota, 3)
    if report.requests.quota_remaining is not None:
        metadata["quota_remaining"] = report.requests.quota_remaining
    if report.requests.values_masked:
        metadata["values_masked"] = report.requests.values_masked
    if changes.repeated_keys:
        metadata["repeated_keys"] = [list(key) for key in changes.repeated_keys]
    if report.new_columns:
        metadata["new_columns"] = ", ".join(report.new_columns)
    return metadata
