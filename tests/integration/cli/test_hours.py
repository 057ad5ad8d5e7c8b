"""`timetracking hours`, on the demo's warehouse."""

from __future__ import annotations

import csv
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from tests.support.demo import Demo


@pytest.mark.timeout(500)
def test_hours_of_the_demo(demo: Demo, clean_environment: dict[str, str], tmp_path: Path) -> None:
    def call(*command: str) -> str:
        result = subprocess.run(
            [str(Path(sys.executable).with_name("timetracking")), *command],
            cwd=tmp_path,
            env={
                **clean_environment,
                **demo.variables,
                "TIMETRACKING_HOME": str(demo.home),
                "COLUMNS": "160",
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    [[worked]] = demo.sql("SELECT sum(seconds) FROM hours.time_entries")
    assert f"{int(worked) / 3600:,.2f}" in call("hours").splitlines()[-2]
    rows = list(csv.DictReader(StringIO(call("hours", "--by", "project", "--csv"))))
    assert sum(int(row["worked_seconds"]) for row in rows) == worked
