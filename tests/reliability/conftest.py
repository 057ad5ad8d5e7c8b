"""Faults and what came of them: processes that load, a table that everyone can read at the end.

`outcomes` collects what each test saw; the table fault x phase -> outcome is printed after a run.
`-m reliability` (or HYPOTHESIS_PROFILE=thorough) makes the tests thorough: every statement of a
load, every signal at every point, and long random sequences.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.reliability.faulty_load import Job
from tests.reliability.scenes import AFTER, API, BEFORE, RESOURCE, Scene
from tests.support import throwaway_postgres
from tests.support.code_locations import shipped_apis
from tests.support.fault_table import Outcomes

if TYPE_CHECKING:
    from timetracking_assets.sandbox import SandboxServer
    from timetracking_assets.spec.api import Api

HERE = Path(__file__).parent
_COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("short", max_examples=2, derandomize=True, **_COMMON)
settings.register_profile("thorough", max_examples=25, print_blob=True, **_COMMON)


def _is_thorough(config: pytest.Config) -> bool:
    chosen = os.environ.get("HYPOTHESIS_PROFILE")
    return chosen == "thorough" or (chosen is None and config.option.markexpr == "reliability")


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether to try everything, rather than the worst of each kind."""
    return _is_thorough(pytestconfig)


@pytest.fixture(autouse=True)
def _hypothesis_profile(thorough: bool) -> Iterator[None]:
    before = settings.get_current_profile_name()
    settings.load_profile("thorough" if thorough else "short")
    yield
    settings.load_profile(before)


@pytest.fixture
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    return Outcomes(request.node)


@pytest.fixture(scope="session")
def apis() -> dict[str, Api]:
    """The APIs as they are shipped, by name."""
    return shipped_apis()


@pytest.fixture(scope="session")
def loaded(
    apis: dict[str, Api], session_sandbox: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Job:
    """A load into a warehouse whose table holds `BEFORE`."""
    session_sandbox.control.replace(API, RESOURCE, BEFORE)
    path = tmp_path_factory.mktemp("loaded") / "warehouse.duckdb"
    job = Job(apis[API], RESOURCE, session_sandbox.environment, path)
    if throwaway_postgres.available():
        job = replace(job, url=throwaway_postgres.new_database())
    job.run()
    return job


@pytest.fixture
def make_scene(
    apis: dict[str, Api], sandbox: SandboxServer, loaded: Job, tmp_path: Path
) -> Iterator[Callable[..., Scene]]:
    """`make_scene(name, first=False, parent=None)`: a scene below `parent`, else the test's own
    directory."""
    sandbox.control.replace(API, RESOURCE, AFTER)
    job = Job(apis[API], RESOURCE, sandbox.environment, Path())
    databases: list[str] = []

    def make(name: str, *, first: bool = False, parent: Path | None = None) -> Scene:
        directory = (parent or tmp_path) / name.replace(" ", "-")
        directory.mkdir()
        path = directory / "warehouse.duckdb"
        url = ""
        if throwaway_postgres.available():
            url = throwaway_postgres.new_database("" if first else loaded.url)
            databases.append(url)
        elif not first:
            shutil.copy(loaded.warehouse, path)
        return Scene(replace(job, warehouse=path, url=url), first)

    yield make
    for url in databases:
        throwaway_postgres.drop_database(url)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.reliability)
