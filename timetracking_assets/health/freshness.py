"""Freshness in words, for the health report. It is judged in `orchestration/automation`."""

from __future__ import annotations

from datetime import datetime, timedelta

import humanize

from timetracking_assets.health.model import State
from timetracking_assets.orchestration.automation.freshness import Verdict
from timetracking_assets.spec.api import Freshness


def describe_freshness(
    verdict: Verdict, policy: Freshness | None, last_success: datetime | None, now: datetime
) -> tuple[State, str]:
    """The state and its reason; `UNUSED` for an asset that may have any age, or none yet."""
    if last_success is None:
        return State.UNUSED, "never loaded"
    loaded = f"loaded {age(now - (verdict.loaded or last_success))} ago"
    if verdict.fresh is None:
        return State.UNUSED, loaded
    state = State.FAILED if not verdict.fresh else State.WARNING if verdict.late else State.OK
    if verdict.partition:
        if verdict.loaded is None:
            return state, f"{verdict.partition} is missing"
        return state, f"{verdict.partition} {loaded}"
    if state > State.OK and policy and policy.fail_after:
        return state, f"{loaded}, {age(policy.fail_after)} allowed"
    if state > State.OK and verdict.since:
        return state, f"{loaded}, due {verdict.since:%Y-%m-%d %H:%M} UTC"
    return state, loaded


def age(span: timedelta) -> str:
    """A time span in words: `3 hours`."""
    return humanize.naturaldelta(span)
