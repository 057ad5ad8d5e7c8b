"""Fixtures of the whole platform: a sandbox, an environment, a Dagster instance, a warehouse.

`platform` holds them together. Every test has its own Dagster home and its own warehouse; the
sandbox is one, reset before each test.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.support import environment, throwaway_postgres
from tests.support.code_locations import hasty_definitions as build_hasty_definitions
from tests.support.demo import Demo, run_demo
from tests.support.fault_table import FaultTable
from tests.support.platform import Platform
from tests.support.warehouses import fresh_database
from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.remote_control import RemoteControl

LOADING = {"own_warehouse", "demo", "bench", "new_warehouse", "url", "outcomes"}
"""Fixtures of tests that load something: with `--warehouse postgres` the others are left out."""
WITHOUT_TELEMETRY = "telemetry:\n  enabled: false\n"

# the same examples each time, however slow the machine is; others: --hypothesis-profile=random
hypothesis_settings.register_profile("random", deadline=None, print_blob=True)
hypothesis_settings.register_profile("repeated", deadline=None, derandomize=True)
hypothesis_settings.load_profile("repeated")


@event.listens_for(Engine, "connect")
def _sync_nothing(connection: Any, _record: Any) -> None:
    """Dagster's databases of a test need not survive a loss of power: no waiting for the disk."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--warehouse",
        choices=["duckdb", "postgres"],
        default="duckdb",
        help="what tests load into: the embedded file, or a PostgreSQL server started for them",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    other = {"duckdb": "postgres_only", "postgres": "duckdb_only"}[config.getoption("--warehouse")]
    if other == "duckdb_only":
        idle = [item for item in items if not LOADING & set(getattr(item, "fixturenames", ()))]
        config.hook.pytest_deselected(items=idle)
        items[:] = [item for item in items if LOADING & set(getattr(item, "fixturenames", ()))]
    for item in items:
        if marker := item.get_closest_marker(other):
            item.add_marker(pytest.mark.skip(reason=marker.kwargs["reason"]))


def pytest_xdist_auto_num_workers() -> int:
    """One more process than there are cores: some tests only wait, for a daemon or a back-off."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    # where tests run in processes of their own, the one that they report to prints
    if hasattr(config, "workerinput"):
        return
    config.pluginmanager.register(FaultTable())
    os.environ.pop(throwaway_postgres.URL, None)
    if config.getoption("--warehouse") == "postgres":
        server = throwaway_postgres.Server()
        config.add_cleanup(server.stop)
        os.environ[throwaway_postgres.URL] = server.start()


@pytest.fixture(scope="session")
def today() -> date:
    """The day on which the session began, in UTC: the sandbox's data ends with the day before."""
    return datetime.now(UTC).date()


@pytest.fixture
def days_due() -> set[str]:
    """The days of which one is the newest that is due: a deadline may be later in the day, and
    midnight may pass while a test runs."""
    now = datetime.now(UTC).date()
    return {(now - timedelta(days=back)).isoformat() for back in range(3)}


@pytest.fixture(scope="session")
def first_day(today: date) -> date:
    """The first daily partition: late, because Dagster writes an event for each."""
    return today - timedelta(days=10)


@pytest.fixture(scope="session")
def day_of(first_day: date) -> Callable[[int], str]:
    """`day_of(n)`: the partition n days after the first."""
    return lambda number: (first_day + timedelta(days=number)).isoformat()


@pytest.fixture(scope="session")
def session_sandbox(today: date) -> Iterator[SandboxServer]:
    with SandboxServer(today=today) as server:
        yield server


@pytest.fixture
def sandbox(session_sandbox: SandboxServer) -> SandboxServer:
    """The sandbox as it was at its start: data restored, no faults, an empty request log."""
    session_sandbox.control.reset()
    session_sandbox.control.clear_requests()
    return session_sandbox


@pytest.fixture
def control(sandbox: SandboxServer) -> RemoteControl:
    return sandbox.control


@pytest.fixture
def settings(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: SandboxServer,
    first_day: date,
    tmp_path: Path,
    own_warehouse: dict[str, str],
) -> dict[str, str]:
    """The environment of a run against the sandbox, set, and nothing of the developer's own."""
    values = environment.set_environment(monkeypatch, sandbox, first_day, tmp_path)
    for name, value in own_warehouse.items():
        monkeypatch.setenv(name, value)
    return {**values, **own_warehouse}


@pytest.fixture(scope="session")
def new_warehouse() -> Callable[[Path], Any]:
    """`new_warehouse(directory)`: an empty one, for tests that need no Dagster."""
    return throwaway_postgres.new_warehouse


@pytest.fixture
def own_warehouse() -> Iterator[dict[str, str]]:
    """Variables that name a warehouse for this test alone; none for the DuckDB file."""
    with fresh_database() as variables:
        yield variables


@pytest.fixture(scope="session")
def definitions(
    session_sandbox: SandboxServer, first_day: date, tmp_path_factory: pytest.TempPathFactory
) -> dg.Definitions:
    """The code location, with late daily partitions."""
    from timetracking_assets.definitions import defs

    with pytest.MonkeyPatch.context() as monkeypatch:
        environment.set_environment(
            monkeypatch, session_sandbox, first_day, tmp_path_factory.mktemp("load")
        )
        return defs()


@pytest.fixture(scope="session")
def initialized_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAGSTER_HOME with its databases made: making them takes seconds, copying them doesn't."""
    home = tmp_path_factory.mktemp("initialized") / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text(WITHOUT_TELEMETRY)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_run_records(limit=1)
        instance.event_log_storage.get_event_records(
            dg.EventRecordsFilter(dg.DagsterEventType.RUN_START), limit=1
        )
    return home


@pytest.fixture
def instance(settings: dict[str, str], initialized_home: Path) -> Iterator[dg.DagsterInstance]:
    """A real instance, its home below the test's temporary directory."""
    shutil.copytree(initialized_home, settings["DAGSTER_HOME"])
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def platform(
    definitions: dg.Definitions, instance: dg.DagsterInstance, settings: dict[str, str]
) -> Platform:
    """The shipped project, with an empty warehouse."""
    return Platform(
        definitions,
        instance,
        Path(settings["DAGSTER_HOME"]),
        Path(settings["TIMETRACKING_WAREHOUSE"]),
    )


@pytest.fixture
def load_platform(platform: Platform) -> Callable[[], Platform]:
    """The same with the definitions loaded again, for tests that change what YAML reads."""

    def load() -> Platform:
        from timetracking_assets.definitions import defs

        return replace(platform, definitions=defs())

    return load


@pytest.fixture
def hasty_platform(platform: Platform, hasty_definitions: dg.Definitions) -> Platform:
    """The same with retries that don't wait, for tests of failures."""
    return replace(platform, definitions=hasty_definitions)


@pytest.fixture(scope="session")
def hasty_definitions(
    session_sandbox: SandboxServer, first_day: date, tmp_path_factory: pytest.TempPathFactory
) -> dg.Definitions:
    """The code location as `definitions`, but for the waiting between retries."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        home = tmp_path_factory.mktemp("load")
        environment.set_environment(monkeypatch, session_sandbox, first_day, home)
        return build_hasty_definitions()


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment without anything that configures the project, Dagster or dlt."""
    return environment.clean_environment()


@pytest.fixture(scope="session")
def late_start(first_day: date) -> dict[str, str]:
    """Variables that let partitions begin late."""
    return environment.late_start(first_day)


@pytest.fixture(scope="session")
def demo(
    clean_environment: dict[str, str],
    late_start: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Demo:
    """The demo as a user starts it, with nothing configured but a late start of the partitions."""
    # the processes that share the tests share the demo, too
    shared = tmp_path_factory.getbasetemp()
    directory = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "demo"
    return run_demo(directory, {**clean_environment, **late_start})
