"""What each process of Dagster must do before it does anything: load the code location."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

NOT_FOR_DEFINITIONS = {
    "duckdb",
    "pyarrow",
    "pyrate_limiter",
    "sqlalchemy",
    "timetracking_assets.files.models",
    "timetracking_assets.health.build",
    "timetracking_assets.ingest.pages.fetch",
    "timetracking_assets.ingest.load.run",
    "timetracking_assets.warehouse.locks",
}

LOAD = """
import gc, json, sys
from timetracking_assets import definitions
facts = {"before": list(sys.modules), "collected_before": gc.get_stats()[2]["collections"]}
loaded = definitions.defs()
facts["collected"] = gc.get_stats()[2]["collections"] - facts["collected_before"]
facts["modules"] = list(sys.modules)
facts["frozen"] = gc.get_freeze_count()
definitions.defs()
facts["frozen_again"] = gc.get_freeze_count()
facts["collects_garbage"] = gc.isenabled()
facts["assets"] = len(list(loaded.resolve_all_asset_specs()))
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def loaded() -> Any:
    """What a process that has loaded the shipped definitions tells of itself."""
    process = subprocess.run(
        [sys.executable, "-c", LOAD], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(process.stdout.splitlines()[-1])


def test_definitions_need_nothing_of_what_loads(loaded: Any) -> None:
    assert loaded["assets"] > 30
    assert NOT_FOR_DEFINITIONS.isdisjoint(loaded["modules"]), NOT_FOR_DEFINITIONS & set(
        loaded["modules"]
    )


def test_no_garbage_is_searched_while_modules_and_definitions_are_made(loaded: Any) -> None:
    assert "dlt" not in loaded["before"]
    assert "dlt" in loaded["modules"]
    assert loaded["collected"] == 0
    assert loaded["collects_garbage"]


def test_what_a_load_keeps_is_not_searched_later(loaded: Any) -> None:
    assert loaded["frozen"] > 100_000
    # what a process loads again can be garbage as anything else
    assert loaded["frozen_again"] <= loaded["frozen"]
