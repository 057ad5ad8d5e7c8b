"""What only a server can show: its transactions, its locks, its settings, its JSON."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import throwaway_postgres
from tests.support.clock import TickingClock
from timetracking_assets.errors import LockTimeoutError, WarehouseError
from timetracking_assets.warehouse.destination import DestinationWarehouse

if TYPE_CHECKING:
    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

pytestmark = pytest.mark.postgres_only(reason="needs --warehouse postgres")
ROLES = "resource_management/roles"
TABLE = "resource_management.roles"
TIME = "resource_management/logged_time"
REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'no row today'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()
"""
LINGER_ONCE = """
CREATE SEQUENCE lingers;
CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF nextval('lingers') = 1 THEN PERFORM pg_sleep(30); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER linger BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION linger()
"""
LOSE_ONE = "DELETE FROM {table} WHERE id = (SELECT min(id) FROM {table})"
"""A row that the next load has to write."""
HOLD = """
import sys, time
from pathlib import Path
from timetracking_assets.warehouse.destination import DestinationWarehouse
warehouse = DestinationWarehouse("postgres", Path(sys.argv[1]), sys.argv[2])
with warehouse.exclusive("run 7, hours/entries", dataset="hours"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def url() -> Iterator[str]:
    made = throwaway_postgres.new_database()
    yield made
    throwaway_postgres.drop_database(made)


@pytest.fixture
def holder(url: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of the dataset `hours`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), url], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def run_sql(platform: Platform, sql: str) -> None:
    throwaway_postgres.query(_url(), sql)


def _url() -> str:
    return os.environ["DESTINATION__POSTGRES__CREDENTIALS"]


def test_an_insert_that_fails_leaves_the_table_as_it_was(platform: Platform) -> None:
    """A snapshot deletes all rows, then inserts: both or neither."""
    assert platform.materialize(ROLES).green
    run_sql(platform, LOSE_ONE.format(table=TABLE))
    before = platform.sql(f"SELECT * FROM {TABLE} ORDER BY id")
    run_sql(platform, REFUSE.format(table=TABLE))
    outcome = platform.materialize(ROLES)
    assert not outcome.succeeded
    assert "no row today" in outcome.failures[ROLES]
    assert platform.sql(f"SELECT * FROM {TABLE} ORDER BY id") == before
    run_sql(platform, f"DROP TRIGGER refuse ON {TABLE}")
    again = platform.materialize(ROLES)
    assert again.green
    assert again.metadata[ROLES]["rows_unchanged"] == len(before)


def test_a_connection_that_is_cut_in_the_merge_loses_nothing(platform: Platform) -> None:
    """The server ends the session between DELETE and INSERT: dlt does the whole merge again."""
    assert platform.materialize(ROLES).green
    before = platform.sql(f"SELECT * FROM {TABLE} ORDER BY id")
    run_sql(platform, LOSE_ONE.format(table=TABLE))
    run_sql(platform, LINGER_ONCE.format(table=TABLE))
    cut = threading.Thread(target=_cut_when_lingering, args=(_url(),), daemon=True)
    cut.start()
    outcome = platform.materialize(ROLES)
    assert not cut.is_alive()
    assert outcome.green
    assert platform.sql(f"SELECT * FROM {TABLE} ORDER BY id") == before


def _cut_when_lingering(url: str) -> None:
    found: list[tuple[object, ...]] = []
    while not found:
        found = throwaway_postgres.query(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE wait_event = 'PgSleep' AND datname = current_database()",
        )


def test_json_is_compared_by_its_value(platform: Platform, control: RemoteControl) -> None:
    """jsonb has an order and a layout of its own: the rows are unchanged all the same."""
    assert platform.materialize("resource_management/people").green
    table = "resource_management.people"
    found = throwaway_postgres.query(
        _url(),
        "SELECT column_name FROM information_schema.columns WHERE data_type = 'json' "
        "AND table_schema = 'resource_management' AND table_name = 'people'",
    )
    assert found
    for (name,) in found:
        run_sql(platform, f"ALTER TABLE {table} ALTER COLUMN {name} TYPE jsonb")
    again = platform.materialize("resource_management/people")
    assert again.green
    assert again.metadata["resource_management/people"]["rows_updated"] == 0


def test_who_waits_says_for_whom(
    url: str, holder: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("timetracking_assets.warehouse.locks._LOG_AFTER_SECONDS", 0.1)
    monkeypatch.setattr("timetracking_assets.warehouse.locks.time", TickingClock())
    words: list[str] = []
    warehouse = DestinationWarehouse("postgres", tmp_path, url, lock_timeout=0.5)
    with (
        pytest.raises(LockTimeoutError, match=r"dataset hours .*run 7, hours/entries"),
        warehouse.exclusive("me", words.append, dataset="hours"),
    ):
        pass
    assert len(words) == 1
    assert "run 7, hours/entries" in words[0]


def test_another_dataset_does_not_wait(
    url: str, holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    warehouse = DestinationWarehouse("postgres", tmp_path, url, lock_timeout=0.5)
    with warehouse.exclusive("me", dataset="other") as opened:
        assert opened.number("SELECT 1") == 1


def test_a_killed_process_holds_nothing(
    url: str, holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    holder.kill()
    holder.wait()
    warehouse = DestinationWarehouse("postgres", tmp_path, url, lock_timeout=30)
    with warehouse.exclusive("me", dataset="hours"):
        pass
    with warehouse.exclusive("me", dataset="hours"):
        pass


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (("", ""), "lacks credentials"),
        (("{url}", "postgresql://warehouse:not-the-password@{host}"), "password authentication"),
        (("{url}", "postgresql://warehouse:not-the-password@127.0.0.1:1/x"), "refused"),
        (("{url}", "warehouse:not-the-password"), "DESTINATION__POSTGRES__CREDENTIALS"),
    ],
)
def test_wrong_settings_are_reported_without_the_password(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], reported: str
) -> None:
    host = _url().rsplit("@", 1)[1]
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", change[1].format(host=host))
    if not change[1]:
        monkeypatch.delenv("DESTINATION__POSTGRES__CREDENTIALS")
    outcome = platform.materialize(ROLES, loud=True)
    message = outcome.failures[ROLES]
    assert reported in message
    assert "DESTINATION__POSTGRES__CREDENTIALS" in message
    assert "Traceback" not in message
    assert "not-the-password" not in message + outcome.printed


def test_a_destination_that_dlt_does_not_know(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_DESTINATION", "postgress")
    message = platform.materialize(ROLES).failures[ROLES]
    assert "WAREHOUSE_DESTINATION is 'postgress'" in message
    monkeypatch.setenv("WAREHOUSE_DESTINATION", "filesystem")
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", "/tmp")
    assert "can't merge rows" in platform.materialize(ROLES).failures[ROLES]


def test_the_password_is_in_no_message_of_the_server(url: str, tmp_path: Path) -> None:
    password = url.split(":")[2].split("@")[0]
    warehouse = DestinationWarehouse("postgres", tmp_path, url)
    with (
        pytest.raises(WarehouseError) as failure,
        warehouse.reading("me") as opened,
    ):
        opened.rows(f"SELECT '{password}' FROM nowhere")
    assert "nowhere" in str(failure.value)
    assert password not in f"{failure.value} {warehouse} {warehouse!r}"
