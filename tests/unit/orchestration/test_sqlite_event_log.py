"""Dagster's event log in SQLite with open connections: the same rows in the same files as Dagster's
own storage, seen at once by others, and nothing kept from them."""

import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from timetracking_assets.cli.workspace import shipped
from timetracking_assets.orchestration.sqlite_event_log import PooledSqliteEventLogStorage
from timetracking_assets.orchestration.stored_runs import remove_run, remove_steps

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-02-01")
CLOCKS = ("create_timestamp", "migration_completed")
"""Columns that say when SQLite wrote a row."""
DEFAULT = "telemetry:\n  enabled: false\n"


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("counted", asset="entries")],
    tags={"tier": "1"},
)
def entries(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    context.log_event(dg.AssetObservation("people", metadata={"rows": 3}))
    return dg.MaterializeResult(
        metadata={"rows": 3},
        tags={"tier": "1"},
        check_results=[dg.AssetCheckResult(passed=True, check_name="counted")],
    )


@pytest.fixture
def home(initialized_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Dagster home with the shipped settings, which no variable names."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    shutil.copytree(initialized_home, tmp_path / "home")
    shutil.copy(shipped("dagster.yaml"), tmp_path / "home" / "dagster.yaml")
    return tmp_path / "home"


@contextmanager
def opened(home: Path, settings: str | None = None) -> Iterator[dg.DagsterInstance]:
    if settings is not None:
        (home / "dagster.yaml").write_text(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with opened(home) as instance:
        assert type(instance.event_log_storage) is PooledSqliteEventLogStorage
        yield instance


def load(instance: dg.DagsterInstance, first: int = 0, last: int = 19) -> str:
    """The id of a run that loads a range of days."""
    keys = DAYS.get_partition_keys()
    tags = {
        "dagster/asset_partition_range_start": keys[first],
        "dagster/asset_partition_range_end": keys[last],
    }
    return dg.materialize([entries], instance=instance, tags=tags).run_id


def materialized(instance: dg.DagsterInstance) -> int:
    return len(instance.get_materialized_partitions(entries.key))


def rows(directory: Path) -> dict[tuple[str, str], list[Any]]:
    """All rows of all tables, by file and table."""
    content = {}
    for file in sorted(directory.glob("*.db")):
        with closing(sqlite3.connect(file)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in tables.fetchall():
                columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
                names = ", ".join(f'"{name}"' for _, name, *_ in columns if name not in CLOCKS)
                query = f"SELECT {names} FROM {table} ORDER BY 1"
                content[file.name, table] = connection.execute(query).fetchall()
    return content


def test_events_become_the_rows_that_dagsters_own_storage_writes(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    events = [
        event
        for run in (load(instance, 0, 5), load(instance, 4, 8))
        for event in instance.all_logs(run)
    ]
    own = SqliteEventLogStorage(str(tmp_path / "own"))
    single = PooledSqliteEventLogStorage(str(tmp_path / "single"))
    batch = PooledSqliteEventLogStorage(str(tmp_path / "batch"))
    for storage in (own, single, batch):
        storage.register_instance(instance)

    for event in events:
        own.store_event(event)
        single.store_event(event)
    batch.store_event_batch(events)
    single.dispose()
    batch.dispose()

    expected = rows(tmp_path / "own")
    assert len(expected["index.db", "event_logs"]) > 2 * 11
    assert expected["index.db", "asset_event_tags"]
    assert expected["index.db", "asset_check_executions"]
    assert rows(tmp_path / "single") == expected
    assert rows(tmp_path / "batch") == expected


def test_the_history_of_dagsters_own_storage_is_kept_and_it_can_be_used_again(home: Path) -> None:
    settings = (home / "dagster.yaml").read_text()
    with opened(home, DEFAULT) as instance:
        load(instance, 0, 9)
    with opened(home, settings) as instance:
        assert materialized(instance) == 10
        run = load(instance, 10, 19)
    with opened(home, DEFAULT) as instance:
        assert materialized(instance) == 20
        assert instance.all_logs(run, of_type=dg.DagsterEventType.RUN_SUCCESS)


def test_another_directory_can_be_named(home: Path, tmp_path: Path) -> None:
    settings = (home / "dagster.yaml").read_text()
    named = f"{settings}".replace(
        "class: PooledSqliteEventLogStorage\n",
        f"class: PooledSqliteEventLogStorage\n  config:\n    base_dir: {tmp_path / 'events'}\n",
    )
    with opened(home, named) as instance:
        load(instance, 0, 1)
    assert (tmp_path / "events" / "index.db").exists()


@pytest.mark.parametrize("watching", [DEFAULT, None])
def test_a_run_is_followed_while_it_goes_on(
    home: Path, instance: dg.DagsterInstance, watching: str | None
) -> None:
    """The web server's live log: here the run waits until its own start has been seen."""
    seen: list[str] = []
    started, ended = threading.Event(), threading.Event()

    @dg.op
    def wait() -> None:
        if not started.wait(60):
            raise dg.Failure("nobody has seen this step start")

    @dg.job
    def waiting() -> None:
        wait()

    def note(event: dg.EventLogEntry, _cursor: str) -> None:
        seen.append(str(event.dagster_event_type and event.dagster_event_type.value))
        if seen[-1] == "STEP_START":
            started.set()
        if seen[-1] == "PIPELINE_SUCCESS":
            ended.set()

    run_id = str(uuid4())
    with opened(home, watching) as other:
        other.watch_event_logs(run_id, None, note)
        waiting.execute_in_process(instance=instance, run_id=run_id)
        assert ended.wait(60)
    assert seen.count("STEP_START") == 1


@pytest.mark.parametrize("watching", [DEFAULT, None])
def test_a_batch_is_seen_by_those_who_follow_its_run(
    home: Path, instance: dg.DagsterInstance, watching: str | None
) -> None:
    events = instance.all_logs(load(instance, 0, 4))
    seen = threading.Event()
    with opened(home, watching) as other:
        other.watch_event_logs("again", None, lambda _event, _cursor: seen.set())
        instance.event_log_storage.store_event_batch(
            [event._replace(run_id="again") for event in events]
        )
        assert seen.wait(60)


def test_no_transaction_is_left_open(instance: dg.DagsterInstance) -> None:
    run = load(instance)
    storage = instance.event_log_storage
    instance.get_asset_records([entries.key])
    instance.fetch_materializations(entries.key, limit=3)
    instance.get_latest_storage_id_by_partition(
        entries.key, dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    storage.get_event_records(dg.EventRecordsFilter(dg.DagsterEventType.RUN_START), limit=2)
    instance.get_run_stats(run)
    storage.get_asset_check_execution_history(dg.AssetCheckKey(entries.key, "counted"), limit=1)
    storage.has_secondary_index("no such index")
    storage.alembic_version()

    for shard in ("index", run):
        with closing(sqlite3.connect(storage.path_for_shard(shard))) as other:
            # (busy, pages of the log, pages of it that are in the database now)
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_few_files_stay_open_and_none_after_the_end(instance: dg.DagsterInstance) -> None:
    directory = Path(instance.event_log_storage.path_for_shard("index")).parent
    event = instance.all_logs(load(instance, 0, 0))[0]

    def write_and_count() -> int:
        for number in range(20):
            instance.event_log_storage.store_event(event._replace(run_id=f"run{number}"))
        return count()

    def count() -> int:
        links = {file.resolve() for file in Path("/proc/self/fd").iterdir()}
        return len([link for link in links if link.parent == directory])

    # each has a log and an index of that beside it
    assert 0 < write_and_count() <= 5 * 3
    instance.wipe()
    assert count() <= 3
    assert 0 < write_and_count() <= 5 * 3
    instance.dispose()
    assert count() == 0


@pytest.mark.parametrize("remove", [remove_run, remove_steps])
def test_a_run_that_another_process_has_removed_is_empty(
    home: Path, instance: dg.DagsterInstance, remove: Callable[[dg.DagsterInstance, str], None]
) -> None:
    run = load(instance, 0, 0)
    event = instance.all_logs(run)[0]
    with opened(home) as other:
        remove(other, run)
    assert instance.all_logs(run) == []

    instance.event_log_storage.store_event(event)
    with opened(home) as other:
        assert len(other.all_logs(run)) == 1


def test_wiped_events_are_gone_and_new_ones_come(instance: dg.DagsterInstance) -> None:
    run = load(instance, 0, 3)
    instance.wipe()
    assert instance.all_logs(run) == []
    assert materialized(instance) == 0
    load(instance, 2, 3)
    assert materialized(instance) == 2


def test_of_a_batch_that_fails_nothing_is_stored(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, PooledSqliteEventLogStorage)
    events = [event._replace(run_id="other") for event in instance.all_logs(load(instance))]
    before = rows(Path(storage.path_for_shard("index")).parent)["index.db", "event_logs"]
    stored, prepare = [], storage.prepare_insert_event

    def fail_late(event: dg.EventLogEntry) -> Any:
        stored.append(event)
        if len(stored) == 30:
            raise OSError("the disk is full")
        return prepare(event)

    monkeypatch.setattr(storage, "prepare_insert_event", fail_late)
    with pytest.raises(OSError, match="the disk is full"):
        storage.store_event_batch(events)
    after = rows(Path(storage.path_for_shard("index")).parent)
    assert after["index.db", "event_logs"] == before
    assert after["other.db", "event_logs"] == []

    storage.store_event_batch(events)
    assert len(instance.all_logs("other")) == len(events)


def test_threads_and_storages_of_both_kinds_write_at_the_same_time(
    home: Path, instance: dg.DagsterInstance
) -> None:
    events = instance.all_logs(load(instance, 0, 9))
    before = len(rows(home / "history" / "runs")["index.db", "event_logs"])
    own = SqliteEventLogStorage(str(home / "history" / "runs"))
    another = PooledSqliteEventLogStorage(str(home / "history" / "runs"))
    storages: list[Any] = [own, another, instance.event_log_storage]
    for storage in storages[:2]:
        storage.register_instance(instance)

    def write(number: int) -> None:
        storage = storages[number % 3]
        mine = [event._replace(run_id=f"run{number}") for event in events]
        storage.store_event_batch(mine[:15])
        for event in mine[15:]:
            storage.store_event(event)
            storage.get_records_for_run(f"run{number}", limit=3)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    another.dispose()
    assert [len(instance.all_logs(f"run{number}")) for number in range(6)] == [len(events)] * 6
    mirrored = len(rows(home / "history" / "runs")["index.db", "event_logs"])
    assert mirrored == before * 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are never forked here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")
def test_a_forked_process_opens_connections_of_its_own(
    home: Path, instance: dg.DagsterInstance
) -> None:
    event, *others = instance.all_logs(load(instance, 0, 0))
    storage: Any = instance.event_log_storage

    def open_connection() -> Any:
        with storage.index_connection() as connection:
            return connection.connection.dbapi_connection

    of_parent = open_connection()
    child = os.fork()
    if not child:
        for _ in range(3):
            storage.store_event(event)
        os._exit(open_connection() is of_parent)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    storage.store_event(event)
    with opened(home) as other:
        for reader in (instance, other):
            assert len(reader.all_logs(event.run_id)) == 1 + len(others) + 3 + 1
    with closing(sqlite3.connect(storage.path_for_shard(event.run_id))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_an_instance_is_migrated(home: Path, instance: dg.DagsterInstance) -> None:
    run = load(instance, 0, 0)
    storage = instance.event_log_storage
    head = storage.alembic_version()
    with closing(sqlite3.connect(storage.path_for_shard("index"))) as other, other:
        # as a Dagster of two migrations ago has left it
        other.execute("ALTER TABLE concurrency_limits DROP COLUMN using_default_limit")
        other.execute("UPDATE alembic_version SET version_num = '6b7fb194ff9c'")
    assert storage.alembic_version() != head

    instance.upgrade()

    assert storage.alembic_version() == head
    assert instance.event_log_storage.get_concurrency_keys() == set()
    assert materialized(instance) == 1
    load(instance, 1, 2)
    assert materialized(instance) == 3
    assert len(instance.all_logs(run)) > 5
