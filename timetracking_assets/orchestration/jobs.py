"""Jobs for runs that nobody starts by hand: some assets of one API, tagged so that one finds them.

What starts them is in `schedules.py` and `sensors.py`; which partitions they load, in `ranges.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.partitions import range_tags
from timetracking_assets.spec.api import Resource

API_TAG, KIND_TAG = "timetracking/api", "timetracking/kind"


def asset_job(name: str, kind: str, resources: Sequence[Resource], description: str) -> Any:
    """The (unresolved) job `name` over `resources`, which are of one API, with their checks."""
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.assets(*[asset_key(resource) for resource in resources]),
        description=description,
        tags={API_TAG: resources[0].api, KIND_TAG: kind},
    )


def run_requests(
    wanted: Mapping[str, Sequence[str]],
    resources: Mapping[str, Resource],
    key: str = "",
    tags: Mapping[str, str] | None = None,
) -> list[dg.RunRequest]:
    """As few runs as can load the `wanted` partitions (in order) of each resource.

    A run takes the resources with one partitions' definition and one range. `key` begins the run
    keys; without one, each request makes a run.
    """
    groups: dict[tuple[object, tuple[str, ...]], list[Resource]] = {}
    for name, partitions in wanted.items():
        resource = resources[name]
        groups.setdefault((resource.partitions, tuple(partitions)), []).append(resource)
    return [
        dg.RunRequest(
            run_key=f"{key}/{','.join(item.name for item in members)}" if key else None,
            asset_selection=[asset_key(item) for item in members],
            tags={**(tags or {}), **range_tags(partitions)},
        )
        for (_, partitions), members in groups.items()
    ]


def is_running(instance: dg.DagsterInstance, job_name: str) -> bool:
    """Whether a run of the job is queued or under way."""
    states = [
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
    return bool(
        instance.get_run_records(dg.RunsFilter(job_name=job_name, statuses=states), limit=1)
    )
