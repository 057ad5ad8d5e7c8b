"""Rows of `project_management`: customers, projects, entries, absences."""

from datetime import timedelta
from typing import Final

from timetracking_assets.sandbox.dataset.absences import (
    SICKNESS,
    TRAINING,
    VACATION,
    Absence,
    absences,
    days_away,
    over,
)
from timetracking_assets.sandbox.dataset.calendar import Span
from timetracking_assets.sandbox.dataset.formats import seconds, utc_text
from timetracking_assets.sandbox.dataset.rows import Resources, Row
from timetracking_assets.sandbox.dataset.vocabulary import ACTIVITIES, CUSTOMERS, PROJECTS, TAGS
from timetracking_assets.sandbox.dataset.worklog import Pattern, Work, worklog

_LABEL: Final = "project_management"
_PEOPLE: Final = range(8)
_WORKED_PROJECTS: Final = 14
_PROJECTS: Final = 16
_ABSENCE_TYPES: Final = {VACATION: "vacation", SICKNESS: "sick_leave", TRAINING: "training"}


def generate(seed: int, span: Span) -> Resources:
    """All resources of the API."""
    away = absences(seed, _LABEL, span, _PEOPLE)
    done = worklog(
        seed,
        _LABEL,
        span,
        people=_PEOPLE,
        projects=_WORKED_PROJECTS,
        pattern=Pattern(people_per_day=(1, 3), pieces_per_person=(1, 2)),
        away=days_away(away),
    )
    return {
        "projects": [_project(index, span) for index in range(_PROJECTS)],
        "absences": [_absence(absence) for absence in over(away, span)],
        "customers": [_customer(index) for index in range(len(CUSTOMERS))],
        "entries": [_entry(work) for work in done],
    }


def _customer_of(project: int) -> int:
    # The last customer has no project yet.
    return 2_101 + project % (len(CUSTOMERS) - 1)


def _customer(index: int) -> Row:
    return {
        "id": 2_101 + index,
        "name": CUSTOMERS[index],
        "number": None if index % 3 == 2 else f"C-{1_040 + index}",
        "active": index != 6,
        "billable_default": index % 4 != 1,
        "address": None
        if index % 4 == 3
        else {
            "street": f"{index * 7 + 3} Harbour Lane",
            "zip_code": f"0{index}210",
            "city": "Eichfeld",
        },
        "note": "Prefers a call; Grüße an den Empfang" if index == 1 else None,
    }


def _project(index: int, span: Span) -> Row:
    return {
        "id": 5_201 + index,
        "customers_id": _customer_of(index),
        "name": PROJECTS[index],
        "number": f"P{index:03d}" if index % 5 else None,
        "active": index < _WORKED_PROJECTS,
        "billable_default": index % 4 != 3,
        "budget": None if index % 3 == 0 else _budget(index),
        "deadline": (span.first + timedelta(days=180 + 30 * index)).isoformat()
        if index % 4 == 0
        else None,
        "note": None,
    }


def _budget(index: int) -> Row:
    in_hours = index % 2 == 0
    return {
        "amount": 40.0 + 20 * index if in_hours else 1_500.5 * (index + 1),
        "is_hours": in_hours,
        "monthly": index % 5 == 1,
    }


def _entry(work: Work) -> Row:
    activity = work.roll % len(ACTIVITIES)
    tag_count = work.roll % 3
    return {
        "id": work.number,
        "customer_id": _customer_of(work.project),
        "project_id": 5_201 + work.project,
        "user_id": 61 + work.person,
        "billable": int(work.billable),
        "time_since": utc_text(work.start),
        "time_until": utc_text(work.stop),
        "duration": seconds(work.length),
        "time_insert": utc_text(work.created),
        "time_last_change": utc_text(work.changed),
        "text": work.note,
        "service": {"id": 31 + activity, "name": ACTIVITIES[activity]},
        "hourly_rate": 80.0 + 2.5 * activity if work.billable else None,
        "tags": [TAGS[(work.roll + step) % len(TAGS)] for step in range(tag_count)],
    }


def _absence(absence: Absence) -> Row:
    return {
        "id": absence.number,
        "user_id": 61 + absence.person,
        "type": _ABSENCE_TYPES[absence.kind],
        "status": "declined" if absence.declined else "approved",
        "date_since": absence.first.isoformat(),
        "date_until": absence.last.isoformat(),
        "count_days": absence.workdays,
        "note": "½ day" if absence.half_day else None,
    }
