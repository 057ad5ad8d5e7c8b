"""Jobs that schedules and sensors start: some assets of one API, with tags to find their runs by.

What starts them is in `schedules.py` and the sensors; whether these are on by default is decided
here. Which partitions they load is in `partitions.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.partitions import range_tags
from timetracking_assets.spec.api import Api, Resource

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
    partitions: Mapping[str, Sequence[str]],
    resources: Mapping[str, Resource],
    key: str = "",
) -> list[dg.RunRequest]:
    """As few runs as can load the `partitions` (in order) of each resource, given by name.

    A run takes the resources that share a partitions definition and a range. `key` is the prefix of
    the run keys; without one, each request makes a run.
    """
    groups: dict[tuple[object, tuple[str, ...]], list[Resource]] = {}
    for name, keys in partitions.items():
        resource = resources[name]
        groups.setdefault((resource.partitions, tuple(keys)), []).append(resource)
    return [
        dg.RunRequest(
            run_key=f"{key}/{','.join(item.name for item in members)}" if key else None,
            asset_selection=[asset_key(item) for item in members],
            tags=range_tags(keys),
        )
        for (_, keys), members in groups.items()
    ]


VARIABLE = "TIMETRACKING_AUTOMATION"
_WORDS = {"on": True, "off": False, "": None}


def is_on(api: Api | None = None) -> bool:
    """True if TIMETRACKING_AUTOMATION is `on`, or is not set and the file of `api` says
    `schedule: {running: true}`.

    Raises DagsterInvalidDefinitionError for a value that is neither `on` nor `off`.
    """
    text = os.environ.get(VARIABLE, "").strip().lower()
    if text not in _WORDS:
        raise dg.DagsterInvalidDefinitionError(f"{VARIABLE} is {text!r}: it must be `on` or `off`")
    setting = _WORDS[text]
    return setting if setting is not None else bool(api and api.runs_by_itself)


def schedule_status(api: Api) -> dg.DefaultScheduleStatus:
    """The status of the schedules of `api` until it is changed in the UI."""
    return dg.DefaultScheduleStatus.RUNNING if is_on(api) else dg.DefaultScheduleStatus.STOPPED


def sensor_status(api: Api | None = None) -> Any:
    """The same for the sensors of `api`, or (None) for those of the whole code location."""
    return dg.DefaultSensorStatus.RUNNING if is_on(api) else dg.DefaultSensorStatus.STOPPED
