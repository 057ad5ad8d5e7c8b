"""Dagster's declarative automation, by the names that a `defs.yaml` has for it, and its policies.

What an `AssetSpec` says of its own upkeep belongs here.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import dagster as dg

from timetracking_assets.spec.api import Resource


def automation_condition(resource: Resource) -> dg.AutomationCondition[dg.AssetKey] | None:
    """The condition under which Dagster loads `resource` by itself; None leaves it to schedules.

    Whatever the condition, it waits until the blocking checks of all parents have passed.
    """
    schedule = resource.automation.schedule
    condition: dg.AutomationCondition[Any] | None = None
    match resource.automation.condition:
        case "eager":
            condition = dg.AutomationCondition.eager()
        case "on_missing":
            condition = dg.AutomationCondition.on_missing()
        case "on_cron" if schedule:
            condition = dg.AutomationCondition.on_cron(schedule.cron, schedule.timezone)
    if condition is None:
        return None
    return condition & dg.AutomationCondition.all_deps_blocking_checks_passed()


def freshness_policy(resource: Resource) -> dg.FreshnessPolicy | None:
    """How old Dagster lets the table be before it shows it as stale."""
    freshness = resource.automation.freshness
    if freshness is None:
        return None
    if freshness.deadlines is not None:
        return _cron_policy(
            freshness.deadlines.cron, freshness.within, freshness.deadlines.timezone
        )
    assert freshness.fail_after is not None
    return dg.FreshnessPolicy.time_window(freshness.fail_after, freshness.warn_after)


@cache
def _cron_policy(cron: str, within: timedelta, timezone: str) -> dg.FreshnessPolicy:
    """Made once for all assets that have it: Dagster runs through a thousand ticks to judge it."""
    return dg.FreshnessPolicy.cron(cron, within, timezone)
