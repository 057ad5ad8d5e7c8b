"""Dagster's event log in SQLite with its connections kept open, for `event_log_storage` in
`dagster.yaml`.

Only what Dagster's own storage lacks belongs here: it opens and closes a database for each event,
which takes it ten times as long as writing the event, and writes the events of a batch
(`DAGSTER_EVENT_BATCH_SIZE`) one by one, as it makes the JSON of a check's plan for each partition.
Tables, queries and files are Dagster's: both storages may use the same files, at the same time.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import Connection, DateTime, column, inspect, table

_INDEX = "index"
_RUNS = 4
"""How many runs' files are kept open beside the index: those that a process writes or reads at the
time."""
_OF_ASSETS = {
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_OBSERVATION,
}

_CHECKS = table(
    "asset_check_executions",
    *map(column, ("asset_key", "check_name", "partition", "run_id", "execution_status")),
    *map(column, ("evaluation_event", "evaluation_event_storage_id")),
    column("evaluation_event_timestamp", DateTime),
)


@dataclass(frozen=True)
class _Kept:
    connection: Connection
    file: tuple[int, int] | None
    """Device and inode: a file of the same name may be another one by now."""


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's SQLite event log, whose connections stay open between events.

    `base_dir` is where Dagster's own storage has its files by default: `history/runs` in the
    instance's directory. A thread at a time uses a connection, as with Dagster's storage.
    """

    def __init__(self, base_dir: str | None = None, inst_data: Any = None) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._process = os.getpid()
        self._of_parent: list[_Kept] = []
        self._lock = threading.RLock()
        self._data = inst_data
        self._has_directory = base_dir is not None
        if base_dir is not None:
            super().__init__(base_dir, inst_data)

    @property
    def inst_data(self) -> Any:
        """What `dagster.yaml` says of this storage."""
        return self._data

    @classmethod
    def config_type(cls) -> Any:
        """`base_dir`, which need not be given."""
        return {"base_dir": dg.Field(dg.StringSource, is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: Any, config_value: Mapping[str, Any]
    ) -> PooledSqliteEventLogStorage:
        """The storage that `dagster.yaml` describes."""
        return cls(inst_data=inst_data, **config_value)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Learn where the files are, if nothing has said so."""
        if not self._has_directory:
            self._has_directory = True
            super().__init__(str(Path(instance.root_directory, "history", "runs")), self._data)
        super().register_instance(instance)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        """A transaction in the file of a run (none: of no run); inside of another, that one."""
        return self._transaction(run_id or "")

    def index_connection(self) -> AbstractContextManager[Connection]:
        """A transaction in the index of all runs; inside of another, that one."""
        return self._transaction(_INDEX)

    @contextmanager
    def _in_this_process(self) -> Iterator[None]:
        """One thread at a time, and no connection of the process that this one was forked from:
        SQLite allows no use of it, and to close it is one."""
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                self._of_parent += self._kept.values()
                self._kept.clear()
            yield

    @contextmanager
    def _transaction(self, shard: str) -> Iterator[Connection]:
        with self._in_this_process():
            connection = self._connection(shard)
            if connection.in_transaction():
                yield connection
                return
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                # whatever it was, the next use begins like the first one
                self._close(shard)
                raise

    def _connection(self, shard: str) -> Connection:
        path = Path(self.path_for_shard(shard))
        kept, file = self._kept.get(shard), _identity(path)
        if kept and kept.file == file:
            self._kept.move_to_end(shard)
            return kept.connection
        self._close(shard)
        if file is None:
            # a storage makes the tables of each file once, and this one may have been removed
            first = SqliteEventLogStorage(str(path.parent)).run_connection(shard)
        else:
            first = super().run_connection(shard)
        with first as opened:
            engine = opened.engine
        self._kept[shard] = _Kept(engine.connect(), _identity(path))
        self._close_some()
        return self._kept[shard].connection

    def _close_some(self) -> None:
        runs = [shard for shard in self._kept if shard != _INDEX]
        for shard in runs[:-_RUNS]:
            if not self._kept[shard].connection.in_transaction():
                self._close(shard)

    def _close(self, *shards: str) -> None:
        for shard in shards:
            if kept := self._kept.pop(shard, None):
                kept.connection.close()

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table of that name."""
        with self.index_connection() as connection:
            return inspect(connection).has_table(table_name)

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event, and let those notice who watch its run."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events of a run in one transaction of each file: all of them, or none."""
        for run_id, of_run in groupby(events, lambda event: event.run_id):
            # the one that is entered last commits first: a run's file, as with single events
            with self.index_connection(), self.run_connection(run_id):
                for (key, kind), group in groupby(of_run, _subject):
                    if key is not None and kind in _OF_ASSETS:
                        self._store_of_asset(run_id, list(group))
                    else:
                        for event in group:
                            super().store_event(event)
            self._touch(run_id)

    def _store_of_asset(self, run_id: str, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events of one kind about one asset: the last one is the asset's newest."""
        ids: list[int] = []
        with self.index_connection() as index, self.run_connection(run_id) as run:
            for event in events:
                statement = self.prepare_insert_event(event)
                run.execute(statement)
                ids += index.execute(statement).inserted_primary_key or ()
            self.store_asset_event_tags(events, ids)
            self.store_asset_event(events[-1], ids[-1])

    def store_asset_check_event(self, event: dg.EventLogEntry, event_id: int | None) -> None:
        """Store what has been planned or found of a check."""
        of_dagster, kind = event.dagster_event, dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
        is_planned = of_dagster is not None and of_dagster.event_type == kind
        planned = of_dagster.asset_check_planned_data if of_dagster and is_planned else None
        if planned is None or planned.partitions_subset is None:
            super().store_asset_check_event(event, event_id)
            return
        # Dagster makes the event's JSON again for each partition
        written = self.prepare_insert_event(event).compile().params
        of_all = {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "execution_status": "PLANNED",
            "evaluation_event": written["event"],
            "evaluation_event_timestamp": written["timestamp"],
            "evaluation_event_storage_id": event_id,
        }
        keys = planned.partitions_subset.get_partition_keys()
        with self.index_connection() as connection:
            connection.execute(_CHECKS.insert(), [{**of_all, "partition": key} for key in keys])

    def _touch(self, run_id: str) -> None:
        """Change a run's file for those who watch it: what was written is in the file beside it
        (`.db-wal`) for now."""
        with suppress(FileNotFoundError):
            os.utime(self.path_for_shard(run_id))

    def wipe(self) -> None:
        """Remove all events."""
        with self._in_this_process():
            self._close(*self._kept)
            super().wipe()

    def dispose(self) -> None:
        """Close all files."""
        super().dispose()
        with self._in_this_process():
            self._close(*self._kept)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _subject(event: dg.EventLogEntry) -> tuple[dg.AssetKey | None, dg.DagsterEventType | None]:
    of_dagster = event.dagster_event
    return (of_dagster.asset_key, of_dagster.event_type) if of_dagster else (None, None)
