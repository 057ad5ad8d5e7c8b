"""The extra `embedded-elt`: what it pins installs, and the code location loads with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = "requirements-embedded-elt.lock"
LOAD = """
import dagster_embedded_elt
from timetracking_assets.definitions import defs
print(len(list(defs().resolve_all_asset_specs())))
"""


@pytest.mark.timeout(300)
def test_the_retired_name_resolves_and_its_definitions_load(tmp_path: Path) -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert uv, "uv is in requirements.lock: ./install.sh installs it"
    environment = tmp_path / "environment"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    subprocess.run(
        [
            uv,
            "pip",
            "sync",
            "--quiet",
            "--system-certs",
            "--python",
            environment,
            "--require-hashes",
            LOCK,
        ],
        cwd=ROOT,
        check=True,
    )
    loaded = subprocess.run(
        [environment / "bin" / "python", "-c", LOAD],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.stdout.strip() == "37", loaded.stderr
