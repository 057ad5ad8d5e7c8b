"""This project as a Dagster run: the asset is materialized in a process that is warm already."""

import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import dagster as dg

from benchmarks.project import definitions, environment

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

if __name__ == "__main__":
    url, warehouse = sys.argv[1:]
    os.environ.update(environment(url))
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        job = definitions(Path(warehouse)).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.from_config(home) as instance:
            spent = {}
            for name in ("users", "entries"):  # the first one warms up
                started = perf_counter()
                result = job.execute_in_process(
                    instance=instance,
                    asset_selection=[dg.AssetKey(["benchmark", name])],
                    run_config=_QUIET,
                )
                spent[name] = perf_counter() - started
    [event] = [e for e in result.all_events if e.is_step_materialization]
    recorded = event.step_materialization_data.materialization.metadata
    print(json.dumps({"rows": recorded["dagster/row_count"].value, "seconds": spent["entries"]}))
