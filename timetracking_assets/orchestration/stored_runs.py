"""Which runs of an instance tell the state of an asset, and how the others are removed.

`DagsterInstance.delete_run` leaves a run's output, the results of its checks, and in SQLite the
file of its events: this module, like `check_history.py`, reaches below it, to `event_log_storage`.
When runs are removed, and whose, is decided in `retention.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from timetracking_assets.orchestration.check_history import latest_checks

_AT_ONCE = 500


def telling_runs(
    instance: dg.DagsterInstance,
    keys: Iterable[dg.AssetKey],
    checks: Iterable[dg.AssetCheckKey],
) -> set[str]:
    """The runs that tell the state of the assets `keys` and of `checks`.

    These are the ones with the newest materialization of each partition, with a newer attempt at
    it, and with the newest result of each check.
    """
    runs = {record.run_id for record in latest_checks(instance, checks).values()}
    for record in instance.get_asset_records(list(keys)):
        entry = record.asset_entry
        runs.add(entry.last_run_id or "")
        if entry.last_materialization:
            runs.add(entry.last_materialization.run_id)
        runs |= set(_of_partitions(instance, entry.asset_key))
    return runs - {""}


def _of_partitions(instance: dg.DagsterInstance, key: dg.AssetKey) -> Iterator[str]:
    loaded, planned = (
        instance.get_latest_storage_id_by_partition(key, event)
        for event in (
            dg.DagsterEventType.ASSET_MATERIALIZATION,
            dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        )
    )
    ids = list(loaded.values())
    for start in range(0, len(ids), _AT_ONCE):
        newest = dg.AssetRecordsFilter(key, storage_ids=ids[start : start + _AT_ONCE])
        for record in instance.fetch_materializations(newest, limit=_AT_ONCE).records:
            yield record.run_id
    for partition, at in planned.items():
        if at > loaded.get(partition, 0):
            attempt = instance.get_latest_planned_materialization_info(key, partition)
            if attempt is not None:
                yield attempt.run_id


def remove_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Remove a run that has ended, and all that is left of it."""
    instance.delete_run(run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    _execute(instance, "DELETE FROM asset_check_executions WHERE run_id = :run", run=run_id)
    _remove_events_file(instance, run_id)


def remove_steps(instance: dg.DagsterInstance, run_id: str) -> None:
    """Remove what a run that has ended printed, and the events of its steps.

    Its materializations and the results of its checks stay, and the run with its tags.
    """
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    if instance.event_log_storage.is_run_sharded:
        # those of assets and checks are in the index, too
        _remove_events_file(instance, run_id)
        return
    _execute(
        instance,
        "DELETE FROM event_logs WHERE run_id = :run AND (dagster_event_type IS NULL "
        "OR NOT (dagster_event_type LIKE 'ASSET%' OR dagster_event_type LIKE 'PIPELINE%'))",
        run=run_id,
    )


def remove_plans(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> int:
    """Remove the plans of checks that have been evaluated, and return how many.

    Dagster plans a check for each partition of a run, though the check has one result for all of
    them, and never looks at these plans again.
    """
    plans = (
        "FROM asset_check_executions WHERE asset_key = :key AND execution_status = 'PLANNED' "
        "AND partition IS NOT NULL AND EXISTS (SELECT 1 FROM asset_check_executions AS evaluated "
        "WHERE evaluated.asset_key = asset_check_executions.asset_key "
        "AND evaluated.check_name = asset_check_executions.check_name "
        "AND evaluated.run_id = asset_check_executions.run_id "
        "AND evaluated.partition IS NULL AND evaluated.execution_status <> 'PLANNED')"
    )
    return sum(_execute(instance, f"DELETE {plans}", key=key.to_string()) for key in keys)


def _execute(instance: dg.DagsterInstance, sql: str, **values: str) -> int:
    """Change rows of the event log's database, if it has one; how many."""
    storage: Any = instance.event_log_storage
    if not hasattr(storage, "index_connection"):
        return 0
    # the code location, which imports this, is there sooner without it
    from sqlalchemy import text

    with storage.index_connection() as connection:
        return int(connection.execute(text(sql), values).rowcount)


def _remove_events_file(instance: dg.DagsterInstance, run_id: str) -> None:
    storage: Any = instance.event_log_storage
    if storage.is_run_sharded:
        file = Path(storage.path_for_shard(run_id))
        for path in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
            path.unlink(missing_ok=True)
