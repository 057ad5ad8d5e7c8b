"""A sandbox, an environment, a Dagster instance and a warehouse for tests of the whole platform.

`platform` holds them together: it runs assets as Dagster does and reads what came of it. Every test
has its own Dagster home and its own warehouse; the sandbox is one, reset before each test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import sqlglot
import throwaway_postgres
from filelock import FileLock

from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.remote_control import RemoteControl

PARTITIONED_APIS = ("PROJECT_MANAGEMENT", "WORKSPACE_TIME", "RESOURCE_MANAGEMENT", "TIME_ANALYTICS")
APIS = ("TIME_TRACKING", *PARTITIONED_APIS)
_OURS = (
    *(f"{api}_" for api in APIS),
    *("DAGSTER_", "TIMETRACKING_", "DLT_", "WAREHOUSE_", "DESTINATION__", "CREDENTIALS"),
)
LOADING = {"own_warehouse", "demo", "bench", "new_warehouse", "url"}
"""Fixtures of tests that load something: with `--warehouse postgres` the others are left out."""
WITHOUT_TELEMETRY = "telemetry:\n  enabled: false\n"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


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


@dataclass
class Outcome:
    """What one run did, by the user string of the asset's key (`api/resource`)."""

    succeeded: bool
    run_id: str
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    checks: dict[str, dict[str, dg.AssetCheckEvaluation]] = field(default_factory=dict)
    retried: set[str] = field(default_factory=set)
    printed: str = ""

    @property
    def green(self) -> bool:
        """Everything succeeded, and no check of what was loaded failed: warnings are about what the
        data says, and tests load rows that nobody would track."""
        results = [
            check.passed or check.severity == dg.AssetCheckSeverity.WARN
            for checks in self.checks.values()
            for check in checks.values()
            # a load of an old partition can't make the newest be there
            if check.check_name != "newest_partition_loaded"
        ]
        return self.succeeded and bool(results) and all(results)


@dataclass
class Platform:
    """The code location with an instance and a warehouse, as a run of Dagster's sees them."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    home: Path
    warehouse: Path

    def materialize(
        self,
        *keys: str,
        partition: str | None = None,
        days: tuple[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        loud: bool = False,
    ) -> Outcome:
        """Run the assets `keys` with their checks; `days` are the first and the last of a range."""
        tags = {}
        if days:
            tags = {
                "dagster/asset_partition_range_start": days[0],
                "dagster/asset_partition_range_end": days[1],
            }
        job = self.definitions.resolve_implicit_global_asset_job_def()
        return self._run(
            job,
            loud=loud,
            asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
            partition_key=partition,
            tags=tags,
            run_config={**({} if loud else QUIET), **(config or {})},
        )

    def check(self, *keys: str, names: Sequence[str] = ()) -> Outcome:
        """Run the checks of the assets `keys` (those in `names`, or all), and nothing else."""
        wanted = {dg.AssetKey.from_user_string(key) for key in keys}
        job = self.definitions.resolve_implicit_global_asset_job_def()
        checks = frozenset(
            check
            for check in job.asset_layer.asset_graph.asset_check_keys
            if check.asset_key in wanted and (not names or check.name in names)
        )
        subset = job.get_subset(asset_selection=frozenset(), asset_check_selection=checks)
        return self._run(subset, loud=False, run_config=QUIET)

    def _run(self, job: dg.JobDefinition, *, loud: bool, **arguments: Any) -> Outcome:
        printed = StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            result = job.execute_in_process(
                instance=self.instance, raise_on_error=False, **arguments
            )
        outcome = Outcome(result.success, result.run_id, printed=printed.getvalue())
        for event in result.all_events:
            key = (event.step_key or "").replace("__", "/", 1)
            if event.is_step_materialization:
                recorded = event.step_materialization_data.materialization.metadata
                outcome.metadata[key] = {name: value.value for name, value in recorded.items()}
            elif event.is_step_failure:
                outcome.failures[key] = _message(event.step_failure_data)
            elif event.is_step_up_for_retry:
                outcome.retried.add(key)
        for check in result.get_asset_check_evaluations():
            checks = outcome.checks.setdefault(check.asset_key.to_user_string(), {})
            checks[check.check_name] = check
        return outcome

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a query gives, in the warehouse; it may write, too."""
        return ask(self.warehouse, query, parameters)

    def tables(self) -> set[str]:
        """The names (`schema.table`) of the tables that hold resources."""
        if not (throwaway_postgres.available() or self.warehouse.exists()):
            return set()
        rows = self.sql("SELECT table_schema || '.' || table_name FROM information_schema.tables")
        hidden = ("pg_catalog.", "information_schema.")
        return {
            name
            for (name,) in rows
            if "._dlt" not in name and "_staging." not in name and not name.startswith(hidden)
        }

    def columns(self, table: str) -> list[str]:
        """The columns of `schema.table`, in order."""
        return columns(table, self.sql)

    def keys(self, table: str, key: str = "id") -> list[Any]:
        """The keys in a table, in order, as often as they stand there."""
        return [row[0] for row in self.sql(f"SELECT {key} FROM {table} ORDER BY 1")]


def columns(table: str, ask: Callable[..., list[tuple[Any, ...]]]) -> list[str]:
    found = ask(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = ? "
        "AND table_name = ? ORDER BY ordinal_position",
        table.split("."),
    )
    return [name for (name,) in found]


def ask(
    warehouse: Path, query: str, parameters: Sequence[Any] = (), url: str = ""
) -> list[tuple[Any, ...]]:
    """The rows that a query gives, in the DuckDB file, or in the database at `url` (else the one
    that the environment names). Written in DuckDB's SQL."""
    if not throwaway_postgres.available():
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query, list(parameters)).fetchall()
    [translated] = sqlglot.transpile(query, read="duckdb", write="postgres")
    url = url or os.environ["DESTINATION__POSTGRES__CREDENTIALS"]
    return throwaway_postgres.query(url, translated.replace("?", "%s"), list(parameters) or None)


def _message(failure: Any) -> str:
    told = failure.user_failure_data.description if failure.user_failure_data else None
    return str(told or (failure.error.message if failure.error else ""))


@pytest.fixture(scope="session")
def today() -> date:
    """The day on which the session began, in UTC: the sandbox's data ends with the day before."""
    return datetime.now(UTC).date()


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
    values = _set_environment(monkeypatch, sandbox, first_day, tmp_path)
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
    with _database() as variables:
        yield variables


def named_database(url: str) -> dict[str, str]:
    return {"WAREHOUSE_DESTINATION": "postgres", "DESTINATION__POSTGRES__CREDENTIALS": url}


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    if not throwaway_postgres.available():
        yield {}
        return
    url = throwaway_postgres.new_database()
    yield named_database(url)
    throwaway_postgres.drop_database(url)


def _set_environment(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, first_day: date, home: Path
) -> dict[str, str]:
    for name in list(os.environ):
        if name.startswith(_OURS):
            monkeypatch.delenv(name)
    values = {
        **sandbox.environment,
        **{f"{api}_START": first_day.isoformat() for api in PARTITIONED_APIS},
        "DAGSTER_HOME": str(home / "dagster_home"),
        "TIMETRACKING_WAREHOUSE": str(home / "warehouse.duckdb"),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture(scope="session")
def definitions(
    session_sandbox: SandboxServer, first_day: date, tmp_path_factory: pytest.TempPathFactory
) -> dg.Definitions:
    """The code location, with late daily partitions."""
    from timetracking_assets.definitions import defs

    with pytest.MonkeyPatch.context() as monkeypatch:
        _set_environment(monkeypatch, session_sandbox, first_day, tmp_path_factory.mktemp("load"))
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
    """The project as it stands, with an empty warehouse."""
    return Platform(
        definitions,
        instance,
        Path(settings["DAGSTER_HOME"]),
        Path(settings["TIMETRACKING_WAREHOUSE"]),
    )


@pytest.fixture
def load_platform(platform: Platform) -> Callable[[], Platform]:
    """The same with the definitions loaded anew, for tests that change what YAML reads."""

    def load() -> Platform:
        from timetracking_assets.definitions import defs

        return replace(platform, definitions=defs())

    return load


@pytest.fixture
def hasty_platform(platform: Platform, hasty_definitions: dg.Definitions) -> Platform:
    """The same with retries that don't wait and a short time-out, for tests of failures."""
    return replace(platform, definitions=hasty_definitions)


@pytest.fixture(scope="session")
def hasty_definitions(
    session_sandbox: SandboxServer, first_day: date, tmp_path_factory: pytest.TempPathFactory
) -> dg.Definitions:
    """The code location as `definitions`, but for the waiting between retries."""
    import timetracking_assets
    from timetracking_assets.component import RestApi
    from timetracking_assets.orchestration.assets import build_api_definitions
    from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
    from timetracking_assets.spec.model import RetrySpec

    with pytest.MonkeyPatch.context() as monkeypatch:
        _set_environment(monkeypatch, session_sandbox, first_day, tmp_path_factory.mktemp("load"))
        tree = dg.ComponentTree.for_project(Path(timetracking_assets.__file__).parent)
        apis = [component.api for component in tree.get_all_components(of_type=RestApi)]
    retry = RetrySpec(backoff_factor=0, timeout=1)
    return dg.Definitions.merge(
        *(build_api_definitions(replace(api, retry=retry)) for api in apis),
        dg.Definitions(resources={WAREHOUSE: WarehouseResource()}, executor=dg.in_process_executor),
    )


@dataclass(frozen=True)
class Demo:
    """What `timetracking demo` did, once for all tests that look at it."""

    code: int
    output: str
    home: Path
    variables: Mapping[str, str]
    """Those that name its warehouse, where it isn't the DuckDB file."""

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a query gives."""
        url = self.variables.get("DESTINATION__POSTGRES__CREDENTIALS", "")
        return ask(self.warehouse, query, parameters, url)

    def columns(self, table: str) -> list[str]:
        """The columns of `schema.table`, in order."""
        return columns(table, self.sql)

    @property
    def warehouse(self) -> Path:
        """The DuckDB file with all tables."""
        return self.home / "sandbox" / "warehouse.duckdb"

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The instance with the demo's runs."""
        with dg.DagsterInstance.from_config(
            str(self.home / "sandbox" / "dagster_home")
        ) as instance:
            yield instance


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment without anything that configures the project, Dagster or dlt."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


@pytest.fixture(scope="session")
def late_start(first_day: date) -> dict[str, str]:
    """Variables that let partitions begin late."""
    return {f"{api}_START": first_day.isoformat() for api in PARTITIONED_APIS}


@pytest.fixture(scope="session")
def demo(
    clean_environment: dict[str, str],
    late_start: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Demo:
    """The demo as a user starts it, with nothing configured.

    Partitions begin late: Dagster writes events for each, and thousands prove no more than these.
    """
    # the processes that share the tests share the demo, too
    shared = tmp_path_factory.getbasetemp()
    directory = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "demo"
    home, told = directory / "home", directory / "told.json"
    with FileLock(f"{directory}.lock"):
        if not told.exists():
            directory.mkdir()
            variables = {}
            if throwaway_postgres.available():
                variables = named_database(throwaway_postgres.new_database())
            result = subprocess.run(
                [str(Path(sys.executable).with_name("timetracking")), "demo"],
                cwd=directory,
                env={
                    **clean_environment,
                    **late_start,
                    **variables,
                    "TIMETRACKING_HOME": str(home),
                    "COLUMNS": "120",
                },
                capture_output=True,
                text=True,
                timeout=500,
            )
            output = result.stdout + result.stderr
            told.write_text(json.dumps([result.returncode, output, variables]))
    code, output, variables = json.loads(told.read_text())
    return Demo(code, output, home, variables)


class FaultTable:
    """Prints what became of tables after faults, as the tests of `tests/reliability` counted it."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, str], Counter[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "outcome":
                fault, phase, outcome = value
                self._counted.setdefault((fault, phase), Counter())[outcome] += 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._counted:
            return
        rows = [
            (fault, phase, f"{counts.total()}", "; ".join(f"{n} x {o}" for o, n in counts.items()))
            for (fault, phase), counts in sorted(self._counted.items())
        ]
        head = ("fault", "phase", "cases", "outcome")
        widths = [max(len(row[column]) for row in [head, *rows]) for column in range(4)]
        terminalreporter.section("fault x phase -> outcome")
        for row in [head, tuple("-" * width for width in widths), *rows]:
            cells = " | ".join(c.ljust(width) for c, width in zip(row, widths, strict=True))
            terminalreporter.write_line(f"| {cells} |")
        terminalreporter.write_line(f"{sum(int(row[2]) for row in rows)} cases")


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
