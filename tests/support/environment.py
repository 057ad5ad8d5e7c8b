"""The environment variables of a run against the sandbox, without the developer's own."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from timetracking_assets.sandbox import SandboxServer

PARTITIONED_APIS = ("PROJECT_MANAGEMENT", "WORKSPACE_TIME", "RESOURCE_MANAGEMENT", "TIME_ANALYTICS")
APIS = ("TIME_TRACKING", *PARTITIONED_APIS)
_OURS = (
    *(f"{api}_" for api in APIS),
    *("DAGSTER_", "TIMETRACKING_", "DLT_", "WAREHOUSE_", "DESTINATION__", "CREDENTIALS"),
)


def clean_environment() -> dict[str, str]:
    """The environment without anything that configures the project, Dagster or dlt."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


def late_start(first_day: date) -> dict[str, str]:
    """Variables that let partitions begin late: Dagster writes an event for each."""
    return {f"{api}_START": first_day.isoformat() for api in PARTITIONED_APIS}


def set_environment(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer, first_day: date, home: Path
) -> dict[str, str]:
    """Set the variables of a run against `sandbox`, with its files below `home`, and no others."""
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)
    values = {
        **sandbox.environment,
        **late_start(first_day),
        "DAGSTER_HOME": str(home / "dagster_home"),
        "TIMETRACKING_WAREHOUSE": str(home / "warehouse.duckdb"),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values
