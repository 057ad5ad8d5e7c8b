"""Runs of a release of this package, whichever is on the path: `release_run.py KEY[@FIRST:LAST]...`

Not a test: `test_older_release.py` starts it. It prints for each run whether it and the checks of
its load passed, as JSON.
"""

import json
import sys

import dagster as dg

from timetracking_assets.definitions import defs

BLOCKING = {"primary_key_unique", "rows_reconciled"}

job = defs().resolve_implicit_global_asset_job_def()
outcomes = {}
with dg.DagsterInstance.get() as instance:
    for run in sys.argv[1:]:
        key, _, days = run.partition("@")
        first, _, last = days.partition(":")
        tags = {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            asset_selection=[dg.AssetKey.from_user_string(key)],
            tags=tags if days else {},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        checks = {c.check_name: c.passed for c in result.get_asset_check_evaluations()}
        passed = [checks.get(name, False) for name in sorted(BLOCKING)]
        outcomes[run] = result.success and all(passed)
print(json.dumps(outcomes))
