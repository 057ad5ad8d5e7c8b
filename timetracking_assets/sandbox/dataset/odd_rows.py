"""Rows that real accounts hold and tidy data does not: added to the data on demand.

Timers that are running, entries over midnight and over a change of clocks, overlaps, a negative
duration, an entry without a project, a half day off, people without an e-mail address, and words
that no document mentions. All lie in the days before the current one.
"""

from datetime import date, datetime, timedelta
from typing import Final

from timetracking_assets.sandbox.dataset.calendar import at
from timetracking_assets.sandbox.dataset.formats import offset_text, utc_text
from timetracking_assets.sandbox.dataset.rows import Resources, Row
from timetracking_assets.sandbox.identifiers import hex_id

_FIRST_ID: Final = 990_000_001


def with_odd_rows(data: dict[str, Resources], today: date) -> dict[str, Resources]:
    """`data` with the odd rows behind the others; the lists of `data` stay as they are."""
    odd = {
        "time_tracking": _time_tracking(data["time_tracking"], today),
        "project_management": _project_management(data["project_management"], today),
        "workspace_time": _workspace_time(data["workspace_time"], today),
        "time_analytics": _time_analytics(data["time_analytics"], today),
    }
    return {
        api: {name: [*rows, *odd.get(api, {}).get(name, [])] for name, rows in resources.items()}
        for api, resources in data.items()
    }


def _time_tracking(data: Resources, today: date) -> Resources:
    day = today - timedelta(days=3)
    start = at(day, 18)

    def record(number: int, first: datetime, last: datetime, seconds: int) -> Row:
        return {
            **data["time_tracking_data"][0],
            "id": _FIRST_ID + number,
            "date": day.isoformat(),
            "started_at": utc_text(first),
            "ended_at": utc_text(last),
            "duration": seconds,
            "created_at": utc_text(last),
            "updated_at": utc_text(last),
        }

    hour = timedelta(hours=1)
    return {
        "time_tracking_data": [
            # two things at a time, and one that ends before it begins
            record(0, start, start + hour, 3_600),
            record(1, start + hour / 2, start + hour, 1_800),
            record(2, start + 2 * hour, start + 2 * hour - timedelta(minutes=15), -900),
        ]
    }


def _project_management(data: Resources, today: date) -> Resources:
    start = at(today - timedelta(days=3), 20)
    stop = start + timedelta(hours=6)
    # the duration of an entry that was entered by hand leaves a break out
    entry = {
        **data["entries"][0],
        "id": _FIRST_ID,
        "billable": 2,
        "time_since": utc_text(start),
        "time_until": utc_text(stop),
        "duration": 5 * 3_600,
        "time_insert": utc_text(stop),
        "time_last_change": utc_text(stop),
    }
    absence = {
        **data["absences"][0],
        "date_since": (today - timedelta(days=2)).isoformat(),
        "date_until": (today - timedelta(days=2)).isoformat(),
    }
    return {
        "entries": [entry],
        "absences": [
            {**absence, "id": _FIRST_ID, "status": "approved", "count_days": 0.5},
            {**absence, "id": _FIRST_ID + 1, "status": "pending", "type": "parental"},
        ],
    }


def _workspace_time(data: Resources, today: date) -> Resources:
    # before anybody else begins
    start = at(today - timedelta(days=1), 4)
    entry = {**data["time_entries"][0], "start": offset_text(start, 1), "at": offset_text(start, 0)}
    stop = start + timedelta(minutes=30)
    return {
        "time_entries": [
            {**entry, "id": _FIRST_ID, "stop": None, "duration": -int(start.timestamp())},
            {
                **entry,
                "id": _FIRST_ID + 1,
                "project_id": None,
                "task_id": None,
                "stop": offset_text(stop, 1),
                "duration": 1_800,
            },
        ]
    }


def _time_analytics(data: Resources, today: date) -> Resources:
    entry = data["time_entries"][0]

    def worked(name: str, start: datetime, stop: datetime | None, duration: str | None) -> Row:
        end = utc_text(stop) if stop else None
        interval = {"start": utc_text(start), "end": end, "duration": duration}
        return {**entry, "id": hex_id("odd", name), "timeInterval": interval}

    user = {**data["users"][0], "name": "N. N.", "status": "PENDING_EMAIL_VERIFICATION"}
    night = at(_end_of_summer_time(today) - timedelta(days=1), 21)
    return {
        "time_entries": [
            worked("running", at(today - timedelta(days=1), 16), None, None),
            worked("clocks", night, night + timedelta(hours=6), "PT6H"),
        ],
        "users": [
            {**user, "id": hex_id("odd", "no address"), "email": None},
            {**user, "id": hex_id("odd", "blank address"), "email": " "},
        ],
    }


def _end_of_summer_time(today: date) -> date:
    """The last Sunday of October before `today`: clocks go back in the night before it."""
    year = today.year if today > date(today.year, 11, 1) else today.year - 1
    last = date(year, 10, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
