"""This project: specification, session, schema, counts and checks, without a run of Dagster's."""

import json
import sys
from pathlib import Path

from benchmarks.project import Loader

if __name__ == "__main__":
    url, warehouse = sys.argv[1:]
    timed = Loader(url, Path(warehouse)).load("entries")
    phases = {name: round(spent, 2) for name, spent in timed.report.seconds.items()}
    print(
        json.dumps(
            {
                "rows": timed.report.changes.row_count,
                "seconds": timed.load + timed.checks,
                "phases": {**phases, "checks": round(timed.checks, 2)},
            }
        )
    )
