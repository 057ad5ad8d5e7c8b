"""The example of dbt on top of the model, in an environment of its own, as its lock pins it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

import timetracking_assets
from timetracking_assets.sandbox import SandboxServer

pytestmark = [
    pytest.mark.dbt,
    pytest.mark.timeout(600),
    pytest.mark.duckdb_only(reason="dbt reads the copy, a DuckDB file"),
]

ROOT = Path(timetracking_assets.__file__).parents[1]
MODELS = {"utilisation_by_month", "missing_timesheets", "revenue_by_client"}
PROGRAM = """
import json
import dagster as dg
from studio.definitions import defs

definitions = defs()
specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
lineage = {name: sorted(d.asset_key.to_user_string() for d in s.deps) for name, s in specs.items()}
chosen = dg.AssetSelection.assets(
    "time_tracking/time_tracking_data", "resource_management/people"
) | dg.AssetSelection.groups("hours", "reports")
job = dg.define_asset_job("all_of_it", selection=chosen)
with dg.DagsterInstance.ephemeral() as instance:
    merged = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job]))
    result = merged.get_job_def("all_of_it").execute_in_process(instance=instance)
    built = [e.asset_key.to_user_string() for e in result.get_asset_materialization_events()]
    checks = {f"{e.asset_key.to_user_string()}:{e.check_name}": e.passed
              for e in result.get_asset_check_evaluations()}
print(json.dumps({"lineage": lineage, "built": built, "checks": checks}))
"""


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the extra `dbt`, as it is locked."""
    home = tmp_path_factory.mktemp("dbt") / "environment"
    uv = str(Path(sys.executable).with_name("uv"))
    python = home / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(home)],
        [
            *(uv, "pip", "sync", "--quiet", "--system-certs", "--python", str(python)),
            *("--require-hashes", str(ROOT / "requirements-dbt.lock")),
        ],
    ):
        subprocess.run(command, check=True, timeout=300)
    return python


def test_the_reports_are_built_from_the_model(
    python: Path, tmp_path: Path, clean_environment: Mapping[str, str]
) -> None:
    project = tmp_path / "studio"
    shutil.copytree(ROOT / "examples" / "dbt", project)
    with SandboxServer() as server:
        environment = {
            **clean_environment,
            **server.environment,
            "PATH": os.pathsep.join([str(python.parent), clean_environment["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(project)]),
            "DO_NOT_TRACK": "1",
        }

        def run(*command: str, cwd: Path = project) -> str:
            result = subprocess.run(
                command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=400
            )
            assert result.returncode == 0, result.stdout + result.stderr
            return result.stdout

        run(str(python.with_name("dbt")), "parse", "--quiet", cwd=project / "reports")
        outcome = json.loads(run(str(python), "-c", PROGRAM).splitlines()[-1])

    # one lineage, from the API to the report
    lineage = outcome["lineage"]
    assert lineage["utilisation_by_month"] == [
        "hours/calendar",
        "hours/people",
        "hours/person_days",
    ]
    assert lineage["revenue_by_client"] == ["hours/clients", "hours/person_project_weeks"]
    assert "hours/time_entries" in lineage["hours/person_project_weeks"]
    assert "time_tracking/time_tracking_data" in lineage["hours/time_entries"]
    assert set(outcome["built"]) >= MODELS
    # dbt's tests are asset checks
    own = {
        name: passed for name, passed in outcome["checks"].items() if name.split(":")[0] in MODELS
    }
    assert len(own) == 7
    assert all(own.values()), own

    # what was built in the same run is what dbt has read
    place = project / ".timetracking"
    with duckdb.connect(str(place / "reports.duckdb"), read_only=True) as reports:
        reports.execute(f"ATTACH '{place / 'unified.duckdb'}' AS model (READ_ONLY)")
        [[sent, reported]] = reports.execute(
            "SELECT (SELECT sum(seconds) / 3600.0 FROM model.hours.time_entries), "
            "(SELECT sum(worked_hours) FROM revenue_by_client)"
        ).fetchall()
        [[missing]] = reports.execute("SELECT count(*) FROM missing_timesheets").fetchall()
    assert sent > 0
    assert reported == pytest.approx(sent)
    assert missing > 0
