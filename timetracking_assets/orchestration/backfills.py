"""How a backfill becomes runs: which assets, and how many partitions, a run takes.

Only the policies that Dagster's daemon goes by belong here; partitions are in `partitions.py`.
"""

from __future__ import annotations

import os
from functools import cache
from itertools import count

import dagster as dg

from timetracking_assets.spec.api import Api, Resource

PARTITIONS_PER_RUN = "TIMETRACKING_PARTITIONS_PER_RUN"
"""Environment variable with the most partitions that a run of a backfill takes."""

_UNLIMITED = 1_000_000
_numbers = count()


def backfill_policy(api: Api, *, partitioned: bool) -> dg.BackfillPolicy | None:
    """How a backfill becomes runs, for the partitioned or the other assets of `api`.

    Without PARTITIONS_PER_RUN it is one run for all assets with the same partitions, of whichever
    API. With it a run is of one API, and of at most so many partitions, unless one of the API's
    windows has no end: each run would request all rows from its start on.
    Raises DagsterInvalidDefinitionError for a value that is not a whole number above 0.
    """
    text = os.environ.get(PARTITIONS_PER_RUN, "").strip()
    if not text:
        return dg.BackfillPolicy.single_run() if partitioned else None
    if not text.isdecimal() or int(text) == 0:
        raise dg.DagsterInvalidDefinitionError(
            f"{PARTITIONS_PER_RUN} is {text!r}: it must be a whole number above 0"
        )
    # Dagster puts assets into one run if their partitions and their policies are equal: a number
    # that no other API has keeps the runs of an API its own
    number = _number_of(api.name)
    if not partitioned or any(_is_open(resource) for resource in api.resources.values()):
        return dg.BackfillPolicy.multi_run(_UNLIMITED + number)
    most = int(text)
    return dg.BackfillPolicy.multi_run(most - number % ((most + 1) // 2))


@cache
def _number_of(api: str) -> int:
    """A number of the API's own, by the order in which APIs are loaded."""
    return next(_numbers)


def _is_open(resource: Resource) -> bool:
    """Whether a request takes all rows since a window's start."""
    window = resource.window
    return (
        resource.partitions is not None
        and window is not None
        and window.start_param is not None
        and window.end_param is None
    )
