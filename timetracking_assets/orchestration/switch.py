"""Whether schedules and sensors are on before anyone has touched them in the UI."""

from __future__ import annotations

import os
from typing import Any

import dagster as dg

from timetracking_assets.spec.api import Api

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
    said = _WORDS[text]
    return said if said is not None else bool(api and api.runs_by_itself)


def schedule_status(api: Api) -> dg.DefaultScheduleStatus:
    """The status of the schedules of `api` until it is changed in the UI."""
    return dg.DefaultScheduleStatus.RUNNING if is_on(api) else dg.DefaultScheduleStatus.STOPPED


def sensor_status(api: Api | None = None) -> Any:
    """The same for the sensors of `api`, or (None) for those of the whole code location."""
    return dg.DefaultSensorStatus.RUNNING if is_on(api) else dg.DefaultSensorStatus.STOPPED
