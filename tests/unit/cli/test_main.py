"""The command line as a whole: what each of its commands waits for."""

from __future__ import annotations

import json
import subprocess
import sys

FOR_COMMANDS_THAT_READ_FILES = {
    "dagster",
    "dlt",
    "pydantic",
    "yaml",
    "timetracking_assets.spec.model",
}


def test_help_needs_nothing_that_reads_files() -> None:
    code = (
        "import json, sys; import timetracking_assets.cli.main; print(json.dumps([*sys.modules]))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    modules = set(json.loads(process.stdout))
    assert FOR_COMMANDS_THAT_READ_FILES.isdisjoint(modules), FOR_COMMANDS_THAT_READ_FILES & modules
