"""The code location: everything below `defs/`, and what it runs in.

It only assembles; what is assembled is said in `defs/*/defs.yaml` and built in `orchestration`.
"""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """All definitions of the project, loaded from YAML."""
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(executor=dg.in_process_executor),
    )
