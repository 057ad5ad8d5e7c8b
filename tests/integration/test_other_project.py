"""Another Dagster project that has nothing but our wheel scaffolds APIs, and lists their assets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import timetracking_assets
from timetracking_assets.files.new_file import file_text

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.duckdb_only(reason="about packages; it loads into a file"),
]

REPOSITORY = Path(timetracking_assets.__file__).parents[1]
Call = Callable[..., str]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel, unpacked as an installer does, away from the repository."""
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    [path] = target.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target / "site")
    return target / "site"


@pytest.fixture
def call(wheel: Path, tmp_path: Path, clean_environment: Mapping[str, str]) -> Call:
    """Run a command in the other project, which sees the wheel in place of the repository."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "agency"\n'
    )
    package = tmp_path / "agency"
    (package / "defs").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "definitions.py").write_text(
        "from pathlib import Path\nimport dagster as dg\n\n\n"
        "@dg.definitions\ndef defs():\n"
        "    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
    )
    (package / "defs" / "warehouse.py").write_text(
        "import dagster as dg\nfrom timetracking_assets import WarehouseResource\n\n"
        'defs = dg.Definitions(resources={"warehouse": WarehouseResource()})\n'
    )
    home = tmp_path / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")

    def call(*command: str, **variables: str) -> str:
        result = subprocess.run(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            cwd=tmp_path,
            env={
                **clean_environment,
                "PYTHONPATH": os.pathsep.join([str(wheel), str(tmp_path)]),
                "DAGSTER_HOME": str(home),
                "COLUMNS": "160",
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return call


def components(call: Call) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(call("dg", "list", "components", "--json"))["items"]
    return found


def test_it_scaffolds(call: Call, tmp_path: Path) -> None:
    scaffold = ("dg", "scaffold", "defs", "timetracking_assets.RestApi")
    call(*scaffold, "my_api", "--extends", "resource_management")
    # a second API, so that what both bring along is seen not to collide
    other = tmp_path / "agency" / "defs" / "other_api"
    other.mkdir()
    (other / "defs.yaml").write_text(file_text("other_api", None, other / "defs.yaml")[0])

    env = (tmp_path / ".env").read_text()
    assert env.splitlines() == [
        "# my_api",
        "MY_API_BASE_URL=",
        "MY_API_API_TOKEN=",
    ]
    listed = json.loads(call("dg", "list", "defs", "--json"))
    keys = {asset["asset_key"] for asset in listed["assets"]}
    assert {"my_api/people", "my_api/logged_time", "other_api/people"} <= keys
    assert len(keys) == 17
    [ours] = [c for c in components(call) if c["key"] == "timetracking_assets.RestApi"]
    assert "A REST API whose resources become assets" in ours["summary"]
