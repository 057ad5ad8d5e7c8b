"""Is an asset fresh? From its freshness policy, its partitions and its last load.

A partitioned asset is fresh when its newest due partition is there: an old one that was backfilled
says nothing. A partition is due when its time is over and, where the asset has a policy, when the
policy's deadline for it has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from croniter import croniter

# the kinds of policies that the public `FreshnessPolicy` makes have no public names
from dagster._core.definitions.freshness import CronFreshnessPolicy, TimeWindowFreshnessPolicy

from timetracking_assets.health.model import PartitionState, State
from timetracking_assets.health.watched import partition_keys


def freshness(
    policy: dg.FreshnessPolicy | None,
    partitions: dg.TimeWindowPartitionsDefinition | None,
    states: Mapping[str, PartitionState],
    last_success: datetime | None,
    now: datetime,
) -> tuple[State, str]:
    """The state and its reason in words; `UNUSED` where nothing says what fresh means."""
    if last_success is None:
        return State.UNUSED, "never loaded"
    if partitions is not None:
        keys = partition_keys(partitions, now)
        if keys and partitions.time_window_for_partition_key(keys[-1]).end <= now:
            return _newest_due(policy, partitions, states, now)
    # a whole list, or a partition that is still open: what counts is when it was loaded
    if policy is None:
        return State.UNUSED, f"loaded {age(now - last_success)} ago"
    return _by_age(policy, last_success, now)


def age(span: timedelta) -> str:
    """A time span in words: one unit, rounded down."""
    seconds = int(span.total_seconds())
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def _newest_due(
    policy: dg.FreshnessPolicy | None,
    partitions: dg.TimeWindowPartitionsDefinition,
    states: Mapping[str, PartitionState],
    now: datetime,
) -> tuple[State, str]:
    for limit, state in _limits(policy, now):
        key = _last_ended(partitions, limit, now)
        if key is not None and states.get(key) != PartitionState.LOADED:
            return state, f"{key} {'is missing' if state == State.FAILED else 'is due'}"
    loaded = [key for key, state in states.items() if state == PartitionState.LOADED]
    return State.OK, f"{max(loaded)} is there" if loaded else "nothing is due yet"


def _last_ended(
    partitions: dg.TimeWindowPartitionsDefinition, at: datetime, now: datetime
) -> str | None:
    """The newest partition that was over at `at`; None if there is none."""
    for key in reversed(partition_keys(partitions, now)):
        if partitions.time_window_for_partition_key(key).end <= at:
            return key
    return None


def _limits(policy: dg.FreshnessPolicy | None, now: datetime) -> list[tuple[datetime, State]]:
    """Instants, and how bad it is if what was over by then is not there."""
    if isinstance(policy, TimeWindowFreshnessPolicy):
        limits = [(now - policy.fail_window.to_timedelta(), State.FAILED)]
        if policy.warn_window:
            limits.append((now - policy.warn_window.to_timedelta(), State.WARNING))
        return limits
    if isinstance(policy, CronFreshnessPolicy):
        return [(_last_tick(policy, now), State.FAILED)]
    return [(now, State.WARNING)]


def _by_age(policy: dg.FreshnessPolicy, last_success: datetime, now: datetime) -> tuple[State, str]:
    told = f"loaded {age(now - last_success)} ago"
    if isinstance(policy, TimeWindowFreshnessPolicy):
        if now - last_success > policy.fail_window.to_timedelta():
            return State.FAILED, f"{told}, {age(policy.fail_window.to_timedelta())} allowed"
        if policy.warn_window and now - last_success > policy.warn_window.to_timedelta():
            return State.WARNING, f"{told}, {age(policy.fail_window.to_timedelta())} allowed"
        return State.OK, told
    if isinstance(policy, CronFreshnessPolicy):
        tick = _last_tick(policy, now)
        if last_success < tick - policy.lower_bound_delta:
            return State.FAILED, f"{told}, due {tick:%Y-%m-%d %H:%M} UTC"
        return State.OK, told
    return State.UNUSED, told


def _last_tick(policy: CronFreshnessPolicy, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(policy.timezone))
    tick: datetime = croniter(policy.deadline_cron, local).get_prev(datetime)
    return tick.astimezone(UTC)
