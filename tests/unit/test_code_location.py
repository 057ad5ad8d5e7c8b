"""What each process of Dagster must do before it does anything: load the code location."""

from __future__ import annotations

import json
import subprocess
import sys

FOR_LOADS_ALONE = {
    "duckdb",
    "pyarrow",
    "pyrate_limiter",
    "sqlalchemy",
    "timetracking_assets.health.build",
    "timetracking_assets.ingest.pages.fetch",
    "timetracking_assets.ingest.load.run",
    "timetracking_assets.warehouse.locks",
}


def test_definitions_need_nothing_of_what_loads() -> None:
    code = (
        "import gc, json, sys\n"
        "from timetracking_assets.definitions import defs\n"
        "assets = len(list(defs().resolve_all_asset_specs()))\n"
        "print(json.dumps([assets, list(sys.modules), gc.isenabled()]))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assets, modules, collects_garbage = json.loads(process.stdout.splitlines()[-1])
    assert assets > 30
    assert collects_garbage
    assert FOR_LOADS_ALONE.isdisjoint(modules), FOR_LOADS_ALONE & set(modules)
