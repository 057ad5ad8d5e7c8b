"""The project's own code against the mock API: `api/defs.yaml`, loaded and checked as in a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import dagster as dg
import yaml

from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.pages.rest_api import validate
from timetracking_assets.ingest.windows import Window
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.checks.load_checks import check_specs, run_checks
from timetracking_assets.orchestration.checks.load_facts import LoadFacts
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
from timetracking_assets.spec.api import Api
from timetracking_assets.spec.resolve import resolve
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

_FILE = Path(__file__).parent / "api" / "defs.yaml"
TOKEN = "mock-api-token"  # the mock asks for none; ours sends and masks it all the same


def load_api() -> Api:
    """The specification of the mock API, refused where it is wrong, as a code location does."""
    attributes = yaml.safe_load(_FILE.read_text())["attributes"]
    api = resolve(attributes)
    validate(api)
    return api


def environment(base_url: str) -> dict[str, str]:
    """The variables that `api/defs.yaml` names."""
    return {"BENCHMARK_BASE_URL": base_url, "BENCHMARK_TOKEN": TOKEN}


def definitions(warehouse: Path) -> dg.Definitions:
    """The mock API as a code location."""
    return dg.Definitions.merge(
        build_api_definitions(load_api()),
        dg.Definitions(
            resources={WAREHOUSE: WarehouseResource(path=str(warehouse))},
            executor=dg.in_process_executor,
        ),
    )


@dataclass
class Timed:
    """A load with its checks, in seconds of this process."""

    report: LoadReport
    load: float
    checks: float


class Loader:
    """Loads resources of the mock API into one warehouse, each as a run of Dagster's would."""

    def __init__(self, base_url: str, warehouse: Path, concurrency: int | None = None) -> None:
        api = load_api()
        self._api = replace(api, concurrency=concurrency or api.concurrency)
        self._base_url = base_url
        self._unique: set[str] = set()
        self.warehouse = DuckDBFile(warehouse)

    def load(self, resource_name: str, window: Window | None = None) -> Timed:
        """Load and check one resource. Raises RuntimeError if a check does not pass."""
        resource = self._api.resources[resource_name]
        started = perf_counter()
        # a run looks up its settings by itself
        warehouse = replace(self.warehouse)
        connection = Connection(self._api, environment(self._base_url))
        report = run_load(LoadRequest(connection, resource, window), warehouse)
        loaded = perf_counter()
        names = [spec.name for spec in check_specs(resource)]
        facts = LoadFacts.of_report(report)
        # as in a run: the check of a first load looks at the whole table
        known_unique = resource_name in self._unique
        for result in run_checks(resource, warehouse, names, facts, "a benchmark", known_unique):
            if not result.passed:
                raise RuntimeError(f"{result.check_name}: {result.metadata}")
        self._unique.add(resource_name)
        return Timed(report, loaded - started, perf_counter() - loaded)
