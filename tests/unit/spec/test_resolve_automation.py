"""When a resource is loaded again: defaults, and keys that have no meaning beside others."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from timetracking_assets.errors import SpecError
from timetracking_assets.spec.api import Automation, Freshness, Schedule
from timetracking_assets.spec.automation import FreshnessSpec, ProbeSpec

if TYPE_CHECKING:
    from tests.support.builders import Resolve

HOUR = timedelta(hours=1)


def snapshot(**given: Any) -> dict[str, Any]:
    return {"name": "people", "endpoint": {"path": "people"}, **given}


def daily(**given: Any) -> dict[str, Any]:
    return {
        "name": "entries",
        "endpoint": {"path": "entries"},
        "sync_mode": "window",
        "partitions": {"type": "daily", "start": "2026-01-01", "timezone": "Europe/Berlin"},
        "window": {"field": "start", "start_param": "from"},
        "columns": {"start": {"data_type": "timestamp", "nullable": False}},
        **given,
    }


def yearly(**given: Any) -> dict[str, Any]:
    return daily(name="absences", partitions={"type": "yearly", "start": "2024"}, **given)


def automation(api: Resolve, *resources: dict[str, Any], **given: Any) -> list[Automation]:
    return [resource.automation for resource in api(*resources, **given).resources.values()]


def refusal(api: Resolve, *resources: dict[str, Any], **given: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        api(*resources, **given)
    return caught.value


def test_defaults_of_each_kind(api: Resolve) -> None:
    """Crons in the zone of the API's partitions, and a freshness that they keep."""
    people, entries = automation(api, snapshot(), daily())
    assert people.schedule == Schedule("0 7-19 * * 1-5", "Europe/Berlin")
    assert people.freshness == Freshness(
        deadlines=Schedule("0 8-19 * * 1-5", "Europe/Berlin"), within=HOUR
    )
    assert entries.schedule == Schedule("0 4 * * *", "Europe/Berlin")
    assert entries.freshness == Freshness(
        deadlines=Schedule("0 8 * * *", "Europe/Berlin"), within=24 * HOUR
    )
    assert (entries.lookback, entries.full_reread, entries.condition) == (0, None, "none")
    [absences] = automation(api, yearly())
    assert absences.schedule == Schedule("30 4 * * *", "UTC")


def test_partitions_in_several_zones_leave_utc(api: Resolve) -> None:
    tokyo = {"type": "yearly", "start": "2024", "timezone": "Asia/Tokyo"}
    entries, absences = automation(api, daily(), {**yearly(), "partitions": tokyo})
    assert entries.schedule
    assert entries.schedule.timezone == "UTC"
    assert absences.schedule
    assert absences.schedule.timezone == "UTC"


def test_lookback_of_the_defaults_is_for_days_alone(api: Resolve) -> None:
    api_defaults = {
        "primary_key": "id",
        "endpoint": {"data_selector": "data", "paginator": "single_page"},
        "lookback": 7,
        "full_reread": "weekly",
    }
    results = automation(api, snapshot(), daily(), yearly(), resource_defaults=api_defaults)
    assert [item.lookback for item in results] == [0, 7, 0]
    assert [item.full_reread is not None for item in results] == [False, True, True]
    [own] = automation(api, daily(lookback=2, full_reread=False), resource_defaults=api_defaults)
    assert (own.lookback, own.full_reread) == (2, None)


@pytest.mark.parametrize("resource", [snapshot(lookback=3), yearly(lookback=3)])
def test_lookback_needs_days(api: Resolve, resource: dict[str, Any]) -> None:
    error = refusal(api, resource)
    assert error.path == ("resources", 0, "lookback")
    assert "daily" in error.message


@pytest.mark.parametrize("resource", [snapshot(), daily(sync_mode="changes")])
def test_full_reread_needs_windows(api: Resolve, resource: dict[str, Any]) -> None:
    error = refusal(api, {**resource, "full_reread": "weekly"})
    assert error.path == ("resources", 0, "full_reread")
    assert "sync_mode: window" in error.message


@pytest.mark.parametrize(
    ("given", "cron"),
    [("weekly", "0 5 * * 0"), ("monthly", "0 5 1 * *"), ("15 3 * * 6", "15 3 * * 6")],
)
def test_full_reread(api: Resolve, given: str, cron: str) -> None:
    [result] = automation(api, daily(full_reread=given))
    assert result.full_reread == Schedule(cron, "Europe/Berlin")


@pytest.mark.parametrize("given", ["fortnightly", "61 * * * *", "* * * * * *"])
def test_no_period(api: Resolve, given: str) -> None:
    assert refusal(api, daily(full_reread=given)).path == ("resources", 0, "full_reread")


def test_own_schedule_and_off(api: Resolve) -> None:
    """A cron as a text, with a zone, none at all; for one resource, a kind, the API."""
    text, zoned, off = automation(
        api,
        snapshot(schedule="*/15 * * * *"),
        snapshot(name="roles", schedule={"cron": "0 1 * * *", "timezone": "Asia/Tokyo"}),
        snapshot(name="status", schedule=False),
    )
    assert text.schedule == Schedule("*/15 * * * *", "UTC")
    assert zoned.schedule == Schedule("0 1 * * *", "Asia/Tokyo")
    assert off.schedule is None
    assert off.freshness is None
    people, entries = automation(
        api, snapshot(), daily(), schedule={"snapshot": False, "timezone": "Asia/Tokyo"}
    )
    assert people.schedule is None
    assert entries.schedule == Schedule("0 4 * * *", "Asia/Tokyo")
    [nothing] = automation(api, daily(full_reread="weekly"), schedule=False)
    assert nothing.schedule is None


@pytest.mark.parametrize("cron", ["hourly", "0 25 * * *", "@daily", "* * * * * *"])
def test_no_cron(api: Resolve, cron: str) -> None:
    assert refusal(api, snapshot(schedule=cron)).path == ("resources", 0, "schedule")
    assert refusal(api, snapshot(), schedule={"snapshot": cron}).path == ("schedule", "snapshot")


def test_no_zone(api: Resolve) -> None:
    error = refusal(api, snapshot(), schedule={"timezone": "Europe/Atlantis"})
    assert error.path == ("schedule", "timezone")


def test_freshness_follows_an_own_cron(api: Resolve) -> None:
    [result] = automation(api, snapshot(schedule="0 */2 * * *"))
    assert result.freshness == Freshness(fail_after=3 * HOUR)
    [weekly] = automation(api, snapshot(schedule="0 6 * * 1"))
    assert weekly.freshness == Freshness(fail_after=7 * 24 * HOUR + 6 * HOUR)


def test_freshness_as_declared(api: Resolve) -> None:
    hours, cron, off = automation(
        api,
        snapshot(freshness={"fail_hours": 26, "warn_hours": 20}),
        snapshot(name="roles", freshness={"cron": "0 9 * * *", "timezone": "Asia/Tokyo"}),
        snapshot(name="status", freshness=False),
    )
    assert hours.freshness == Freshness(26 * HOUR, 20 * HOUR)
    assert cron.freshness == Freshness(
        deadlines=Schedule("0 9 * * *", "Asia/Tokyo"), within=24 * HOUR
    )
    assert off.freshness is None


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({}, ()),
        ({"fail_hours": 2, "cron": "0 9 * * *"}, ()),
        ({"fail_hours": 2, "warn_hours": 2}, ("warn_hours",)),
        ({"fail_hours": 2, "within_hours": 1}, ()),
        ({"cron": "0 9 * * *", "warn_hours": 1}, ("warn_hours",)),
        ({"cron": "0 * * * *", "within_hours": 2}, ("within_hours",)),
        ({"cron": "daily"}, ("cron",)),
    ],
)
def test_contradictory_freshness(api: Resolve, given: dict[str, Any], key: tuple[str, ...]) -> None:
    error = refusal(api, snapshot(freshness=given))
    assert error.path == ("resources", 0, "freshness", *key)


@pytest.mark.parametrize("key", ["fail_hours", "warn_hours", "within_hours"])
@pytest.mark.parametrize("hours", [0.001, 99_999_999, float("inf")])
def test_hours_that_no_clock_can_tell(key: str, hours: float) -> None:
    """Dagster takes no less than a minute, and a date has no year 10,000."""
    with pytest.raises(ValidationError, match=key):
        FreshnessSpec(**{key: hours})


@pytest.mark.parametrize("seconds", [0, 10**30])
def test_intervals_that_no_clock_can_tell(seconds: int) -> None:
    with pytest.raises(ValidationError, match="interval"):
        ProbeSpec(interval=seconds)


def test_a_cron_that_never_comes(api: Resolve) -> None:
    error = refusal(api, snapshot(schedule="0 0 31 2 *"))
    assert error.path == ("resources", 0, "schedule")
    assert "never come" in str(error)
    assert refusal(api, snapshot(freshness={"cron": "0 0 31 2 *"})).path[-1] == "cron"


def test_on_cron_needs_a_cron(api: Resolve) -> None:
    error = refusal(api, snapshot(automation_condition="on_cron", schedule=False))
    assert error.path == ("resources", 0, "automation_condition")
