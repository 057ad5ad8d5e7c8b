"""`docs/from-scratch.md` word for word: its files, its commands, on an API of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

import timetracking_assets
from tests.support.vendors import RefusalError, Request, Serve

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.duckdb_only(reason="about packages; it loads into a file"),
]

REPOSITORY = Path(timetracking_assets.__file__).parents[1]
PAGE = (REPOSITORY / "docs" / "from-scratch.md").read_text()
NOT_RUN = "<!-- not run by a test: "
PEOPLE = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]
ENTRIES = [
    {"id": n, "person_id": n % 2 + 1, "started_at": f"2026-01-0{n}T09:00:00Z"} for n in (1, 2, 3)
]


def my_api(request: Request) -> tuple[Any, dict[str, str]]:
    """The API that the page describes, and the vendor has never heard of the sandbox."""
    if request.headers.get("authorization") != "Bearer my-token":
        raise RefusalError(401, "unknown token")
    rows = PEOPLE
    if request.path == "/v1/time-entries":
        first, last = request.query["from"], request.query["to"]
        rows = [row for row in ENTRIES if first <= str(row["started_at"]) < last]
    elif request.path != "/v1/people":
        raise RefusalError(404, "no such list")
    return {"data": rows if request.query.get("page") == "1" else []}, {}


def blocks(language: str) -> list[str]:
    pattern = rf"(^<!--[^\n]*-->\n)?^```{language}\n(.*?)^```"
    blocks = re.findall(pattern, PAGE, re.DOTALL | re.MULTILINE)
    return [text for comment, text in blocks if not comment.startswith(NOT_RUN)]


def test_the_page(tmp_path: Path, serve: Serve, clean_environment: Mapping[str, str]) -> None:
    # what `create-dagster` makes, as far as `dg` looks
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "agency"\n'
        'registry_modules = ["agency.components.*"]\n'
    )
    defs = tmp_path / "src" / "agency" / "defs"
    defs.mkdir(parents=True)
    (defs.parent / "__init__.py").touch()
    (defs.parent / "definitions.py").write_text(
        "from pathlib import Path\nimport dagster as dg\n\n\n"
        "@dg.definitions\ndef defs():\n"
        "    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
    )
    vendor = serve(my_api)
    environment = {
        **clean_environment,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), clean_environment["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(tmp_path / "src")]),
        "COLUMNS": "160",
    }
    outputs = {}

    def run(command: str) -> None:
        result = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
        outputs[command] = result.stdout + result.stderr
        # all other days are missing
        expected = 1 if command == "timetracking status" else 0
        assert result.returncode == expected, f"{command}: {outputs[command]}"

    [warehouse] = blocks("python")
    assert "`src/agency/defs/warehouse.py`" in PAGE
    (defs / "warehouse.py").write_text(warehouse)
    scaffold, *others = [line for block in blocks("sh") for line in block.splitlines()]
    run(scaffold)
    file, schedule = blocks("yaml")
    (defs / "my_api" / "defs.yaml").write_text(file + schedule)
    variables = (tmp_path / ".env").read_text()
    filled = variables.replace("BASE_URL=", f"BASE_URL={vendor.url}/v1").replace(
        "API_TOKEN=", "API_TOKEN=my-token"
    )
    (tmp_path / ".env").write_text(filled)
    for command in others:
        run(command)

    assert [command.split()[0] for command in others] == [
        "timetracking", "dg", "echo", "echo", "dg", "dg", "timetracking",
    ]  # fmt: skip
    assert re.search(r"people +. ok", outputs["timetracking status"])
    assert not any("my-token" in output for output in outputs.values())
    with duckdb.connect(str(tmp_path / ".timetracking" / "warehouse.duckdb")) as connection:
        people = connection.execute("SELECT name FROM my_api.people ORDER BY id").fetchall()
        entries = connection.execute("SELECT id FROM my_api.time_entries").fetchall()
    assert (people, entries) == ([("Ada",), ("Grace",)], [(2,)])
