"""The generated data: repeatable, consistent and never ahead of its time."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from timetracking_assets.sandbox.catalog import KEYS
from timetracking_assets.sandbox.dataset import DEFAULT_SEED, Resources, Span, generate
from timetracking_assets.sandbox.dataset.calendar import is_workday

TODAY = date(2026, 2, 4)
TURN_OF_YEAR = date(2026, 1, 2)
OTHER_DAYS = [date(2024, 2, 29), TURN_OF_YEAR]

DATA = generate(DEFAULT_SEED, TODAY)

# Resource with a row per piece of work; start, stop and seconds of one.
WORK = {
    "time_tracking": ("time_tracking_data", "user_id", "started_at", "ended_at"),
    "project_management": ("entries", "user_id", "time_since", "time_until"),
    "workspace_time": ("time_entries", "user_id", "start", "stop"),
    "time_analytics": ("time_entries", "userId", "timeInterval.start", "timeInterval.end"),
}
LAST_CHANGE = {
    "time_tracking": "updated_at",
    "project_management": "time_last_change",
    "workspace_time": "at",
    "resource_management": "modified",
}
ENTRIES = {**{api: work[0] for api, work in WORK.items()}, "resource_management": "logged_time"}


def digest(data: dict[str, Resources]) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def field(row: dict[str, Any], path: str) -> Any:
    value: Any = row
    for name in path.split("."):
        value = value[name]
    return value


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def workday_of(api: str, row: dict[str, Any]) -> date:
    if api == "resource_management":
        return date.fromisoformat(row["date"])
    return instant(field(row, WORK[api][2])).date()


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def test_same_seed_and_day_give_the_same_data_in_every_process() -> None:
    script = (
        "import hashlib, json, datetime\n"
        "from timetracking_assets.sandbox.dataset import generate, DEFAULT_SEED\n"
        f"data = generate(DEFAULT_SEED, datetime.date.fromisoformat('{TODAY}'))\n"
        "print(hashlib.sha256(json.dumps(data).encode()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == digest(DATA)


def test_another_seed_gives_other_data_with_the_same_configured_identifiers() -> None:
    other = generate(1, TODAY)
    for api, resource in ENTRIES.items():
        assert other[api][resource] != DATA[api][resource]
    for api, resource in (("workspace_time", "workspace"), ("time_analytics", "users")):
        key = KEYS[api][resource]
        assert [row[key] for row in other[api][resource]] == [
            row[key] for row in DATA[api][resource]
        ]


def test_exactly_the_resources_of_the_catalog_are_made() -> None:
    assert {api: set(resources) for api, resources in DATA.items()} == {
        api: set(resources) for api, resources in KEYS.items()
    }
    assert sum(len(resources) for resources in KEYS.values()) == 36


@pytest.mark.parametrize("today", [TODAY, *OTHER_DAYS])
def test_keys_are_there_and_unique(today: date) -> None:
    for api, resources in generate(DEFAULT_SEED, today).items():
        for resource, rows in resources.items():
            keys = [row[KEYS[api][resource]] for row in rows]
            assert None not in keys
            assert len(set(keys)) == len(keys), (api, resource)


@pytest.mark.parametrize("today", [TODAY, *OTHER_DAYS])
def test_no_instant_is_later_than_yesterday(today: date) -> None:
    horizon = Span.until(today).horizon
    written = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
    instants = [
        instant(text)
        for text in texts(list(generate(DEFAULT_SEED, today).values()))
        if written.fullmatch(text)
    ]
    assert len(instants) > 10_000
    assert max(instants) < horizon


@pytest.mark.parametrize("api", ENTRIES)
def test_most_workdays_of_two_years_up_to_yesterday_have_entries(api: str) -> None:
    rows = DATA[api][ENTRIES[api]]
    worked = {workday_of(api, row) for row in rows}
    workdays = [day for day in Span.until(TODAY).workdays() if is_workday(day)]
    assert 800 <= len(rows) <= 2_500
    assert worked <= set(workdays)
    assert len(worked) > 0.9 * len(workdays)
    assert min(worked) < TODAY - timedelta(days=730)
    assert max(worked) == TODAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 2, 4), date(2024, 1, 1)),
        (date(2025, 12, 31), date(2024, 1, 1)),
        (date(2025, 12, 30), date(2023, 7, 1)),
        (date(2025, 7, 20), date(2023, 7, 1)),
        (date(2025, 6, 29), date(2023, 1, 1)),
    ],
)
def test_the_span_begins_with_a_half_year_two_years_back(today: date, first: date) -> None:
    span = Span.until(today)
    assert (span.first, span.end) == (first, today)
    quarters = list(span.quarters())
    assert quarters[0] == first
    assert {quarter.month for quarter in quarters} == {1, 4, 7, 10}
    assert quarters[-1] < today <= quarters[-1] + timedelta(days=92)


def test_a_later_day_leaves_history_as_it_was() -> None:
    horizon = Span.until(TURN_OF_YEAR).horizon
    before = generate(DEFAULT_SEED, TURN_OF_YEAR)
    edited, late = 0, 0
    for api, changed in LAST_CHANGE.items():
        later = {row["id"]: row for row in DATA[api][ENTRIES[api]]}
        for row in before[api][ENTRIES[api]]:
            after = later.pop(row["id"])
            if after != row:
                edited += 1
                assert instant(after[changed]) >= horizon
                assert instant(after[changed]) > instant(row[changed])
        assert all(instant(row[changed]) >= horizon for row in later.values())
        late += sum(workday_of(api, row) < TURN_OF_YEAR for row in later.values())
    assert edited, "nothing was corrected after the earlier day: the test proves little"
    assert late, "nothing was written down late: the test proves little"


@pytest.mark.parametrize("api", LAST_CHANGE)
def test_some_entries_change_days_after_the_work(api: str) -> None:
    rows = DATA[api][ENTRIES[api]]
    late = [
        row
        for row in rows
        if instant(row[LAST_CHANGE[api]]).date() > workday_of(api, row) + timedelta(days=1)
    ]
    assert 0.05 < len(late) / len(rows) < 0.4
    assert not [row for row in rows if instant(row[LAST_CHANGE[api]]).date() < workday_of(api, row)]


@pytest.mark.parametrize("api", WORK)
def test_nobody_works_twice_at_a_time(api: str) -> None:
    resource, person, start, stop = WORK[api]
    by_person: dict[object, list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in DATA[api][resource]:
        by_person[row[person]].append((instant(field(row, start)), instant(field(row, stop))))
    for pieces in by_person.values():
        pieces.sort()
        assert all(start < stop for start, stop in pieces)
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(pieces))


@pytest.mark.parametrize("api", ["time_tracking", "project_management", "workspace_time"])
def test_durations_are_the_seconds_between_start_and_stop(api: str) -> None:
    resource, _, start, stop = WORK[api]
    for row in DATA[api][resource]:
        assert row["duration"] == (instant(row[stop]) - instant(row[start])).total_seconds()


def test_iso_durations_agree_with_their_interval() -> None:
    forms = set()
    for row in DATA["time_analytics"]["time_entries"]:
        interval = row["timeInterval"]
        found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?", interval["duration"])
        assert found is not None
        forms.add(tuple(part is not None for part in found.groups()))
        length = timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0))
        assert length == instant(interval["end"]) - instant(interval["start"])
    assert forms == {(True, True), (True, False), (False, True)}
