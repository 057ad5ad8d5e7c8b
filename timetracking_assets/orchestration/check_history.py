"""Results of asset checks in an instance's event log.

`DagsterInstance` has no public method for the history of a check, nor for the latest results of
many: this module alone reaches below it, to `event_log_storage`. What a result means is judged by
its readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg


@dataclass(frozen=True)
class CheckRecord:
    """One evaluation of a check; without a result it is planned, under way, or its run ended early.

    `at` is in UNIX seconds; `run_id` is empty for a result that no run reported.
    """

    result: dg.AssetCheckEvaluation | None
    run_id: str
    at: float


def check_history(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, limit: int
) -> list[CheckRecord]:
    """The last `limit` evaluations of a check, newest first."""
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=limit)
    return [_record(record) for record in records]


def latest_checks(
    instance: dg.DagsterInstance, keys: Iterable[dg.AssetCheckKey]
) -> Mapping[dg.AssetCheckKey, CheckRecord]:
    """The newest evaluation of each of `keys` that was ever planned."""
    storage = instance.event_log_storage
    records = storage.get_latest_asset_check_execution_by_key(list(keys))
    return {key: _record(record) for key, record in records.items()}


def _record(record: Any) -> CheckRecord:
    result = record.evaluation
    return CheckRecord(
        # a planned one is another class
        result=result if isinstance(result, dg.AssetCheckEvaluation) else None,
        run_id=record.run_id or "",
        at=record.event.timestamp if record.event else record.create_timestamp,
    )
