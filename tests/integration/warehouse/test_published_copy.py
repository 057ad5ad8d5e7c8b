"""The copy for readers follows the runs, or a command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from timetracking_assets.warehouse.duckdb_file import DuckDBFile

pytestmark = pytest.mark.duckdb_only(reason="only a DuckDB file needs a copy for readers")

if TYPE_CHECKING:
    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

ROLES = "resource_management/roles"


def rows(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        [[number]] = connection.execute("SELECT count(*) FROM resource_management.roles").fetchall()
    return int(number)


def test_a_run_that_changes_something_publishes(platform: Platform, control: RemoteControl) -> None:
    copy = DuckDBFile(platform.warehouse).published
    assert platform.materialize(ROLES).green
    before = copy.stat().st_ino
    number = rows(copy)
    assert platform.materialize(ROLES).green
    assert copy.stat().st_ino == before

    control.edit("resource_management", "roles", upsert=[{"id": 987654, "name": "New"}])
    assert platform.materialize(ROLES).green
    assert rows(copy) == number + 1


def test_on_demand(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMETRACKING_PUBLISH", "on_demand")
    assert platform.materialize(ROLES).green
    copy = DuckDBFile(platform.warehouse).published
    assert not copy.exists()
    command = [sys.executable, "-m", "timetracking_assets.cli.main", "publish"]
    result = subprocess.run(command, cwd=platform.home, capture_output=True, text=True, check=True)
    assert copy.name in result.stdout
    assert rows(copy)


def test_a_copy_that_can_not_be_written_fails_no_load(platform: Platform) -> None:
    copy = DuckDBFile(platform.warehouse).published
    copy.mkdir()
    outcome = platform.materialize(ROLES, loud=True)
    assert outcome.green
    assert f"can't publish {copy}" in outcome.printed


def test_a_wrong_setting(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMETRACKING_PUBLISH", "sometimes")
    outcome = platform.materialize(ROLES)
    assert "TIMETRACKING_PUBLISH is 'sometimes'; it takes" in outcome.failures[ROLES]
