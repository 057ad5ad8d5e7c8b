"""Rows of `resource_management`: what is planned for whom, and what was logged.

The account's fixed lists are made here; plans, absences and logged time in
`resource_management_work`.
"""

from datetime import timedelta
from typing import Final

from timetracking_assets.sandbox.dataset import resource_management_work as work
from timetracking_assets.sandbox.dataset.calendar import PUBLIC_HOLIDAYS, Span, at
from timetracking_assets.sandbox.dataset.formats import utc_text
from timetracking_assets.sandbox.dataset.rows import Resources, Row
from timetracking_assets.sandbox.dataset.vocabulary import (
    ACTIVITIES,
    CUSTOMERS,
    PEOPLE,
    PROJECTS,
    email,
)

_DEPARTMENTS: Final = ("Design", "Development", "Consulting", "Geschäftsführung", "Front-end")
_ROLES: Final = ("Designer", "Developer", "Consultant", "Project lead", "Writer", "Intern")
_ACCOUNTS: Final = 6
_TIMEOFF_TYPES: Final = ("Vacation", "Sickness", "Training")


def generate(seed: int, span: Span) -> Resources:
    """All resources of the API."""
    return {
        "accounts": [_account(index, span) for index in range(_ACCOUNTS)],
        "departments": [_department(index) for index in range(len(_DEPARTMENTS))],
        "people": [_person(index, span) for index in range(len(PEOPLE))],
        "roles": [_role(index) for index in range(len(_ROLES))],
        "public_holidays": _public_holidays(span),
        "holidays": _team_days(span),
        "projects": [_project(index, span) for index in range(len(PROJECTS))],
        "clients": [{"id": 401 + index, "name": name} for index, name in enumerate(CUSTOMERS)],
        "timeoff_types": [_timeoff_type(index) for index in range(len(_TIMEOFF_TYPES))],
        "phases": _phases(span),
        "project_tasks": _project_tasks(),
        # This account plans without milestones: an empty list.
        "milestones": [],
        **work.generate(seed, span, people=len(PEOPLE), projects=len(PROJECTS)),
    }


def _account(index: int, span: Span) -> Row:
    created = utc_text(at(span.first, 9, index))
    return {
        "id": 101 + index,
        "name": PEOPLE[index].full,
        "email": email(PEOPLE[index]),
        "account_type": 1 if index == 0 else 2 + index % 2,
        "active": index != 4,
        "created": created,
        "modified": created,
    }


def _department(index: int) -> Row:
    front_end = index == len(_DEPARTMENTS) - 1
    return {"id": 201 + index, "name": _DEPARTMENTS[index], "parent_id": 202 if front_end else None}


def _role(index: int) -> Row:
    return {
        "id": 251 + index,
        "name": _ROLES[index],
        "default_hourly_rate": None if _ROLES[index] == "Intern" else 70.0 + 12.5 * index,
        "people_count": len(range(index, len(PEOPLE), len(_ROLES))),
    }


def _person(index: int, span: Span) -> Row:
    department = index % 4
    created = at(span.first, 10, index)
    left = index == len(PEOPLE) - 1
    part_time = index % 5 == 3
    return {
        "id": work.person_id(index),
        "name": PEOPLE[index].full,
        "email": None if index == 9 else email(PEOPLE[index]),
        "job_title": _ROLES[index % len(_ROLES)],
        "department_id": 201 + department,
        "department": {"id": 201 + department, "name": _DEPARTMENTS[department]},
        "role_id": 251 + index % len(_ROLES),
        "tags": [
            {"name": name, "type": 1}
            for position, name in enumerate(("on-site", "English", "Français", "driver"))
            if (index + position) % 3 == 0
        ],
        "employee_type": 0 if index % 6 == 5 else 1,
        "active": not left,
        "work_days_hours": [
            0.0,
            8.0,
            8.0,
            4.5 if part_time else 8.0,
            8.0,
            0.0 if part_time else 8.0,
            0.0,
        ],
        "start_date": (span.first - timedelta(days=100 * index)).isoformat(),
        "end_date": (span.first + timedelta(days=500)).isoformat() if left else None,
        "created": utc_text(created),
        "modified": utc_text(created + timedelta(days=40 * index)),
    }


def _public_holidays(span: Span) -> list[Row]:
    return [
        {
            "id": year * 100 + position,
            "name": name,
            "date": f"{year}-{month:02d}-{day:02d}",
            "region": {"id": 1, "name": "Whole country"},
            "moveable": False,
        }
        for year in range(span.first.year, span.end.year + 1)
        for position, ((month, day), name) in enumerate(PUBLIC_HOLIDAYS.items())
    ]


def _team_days(span: Span) -> list[Row]:
    return [
        {
            "id": 900_000 + quarter.year * 10 + quarter.month // 3,
            "name": "Studio day" if quarter.month != 7 else "Sommerfest",
            "date": (quarter + timedelta(days=44)).isoformat(),
            "end_date": (quarter + timedelta(days=44 + (quarter.month == 7))).isoformat(),
            "notes": "Bring good shoes" if quarter.month == 7 else None,
            "creator_id": 101,
        }
        for quarter in span.quarters()
    ]


def _project(index: int, span: Span) -> Row:
    internal = index == len(PROJECTS) - 1
    created = at(span.first, 11, index)
    return {
        "id": work.project_id(index),
        "name": PROJECTS[index],
        "client_id": None if internal else 401 + index % len(CUSTOMERS),
        "color": f"{(index * 37 + 80) % 256:02x}90c0",
        "notes": "Rahmenvertrag; see folder" if index % 6 == 0 else None,
        "tags": ["retainer"] if index % 5 == 0 else [],
        "budget": None if index % 3 == 2 else {"type": index % 3, "total": 4_000.0 + 750.5 * index},
        "active": index != 12,
        "non_billable": internal,
        "project_manager": 101 + index % _ACCOUNTS,
        "start_date": (span.first + timedelta(days=7 * index)).isoformat(),
        "end_date": (span.first + timedelta(days=420)).isoformat() if index == 12 else None,
        "created": utc_text(created),
        "modified": utc_text(created + timedelta(days=30 * index)),
    }


def _timeoff_type(index: int) -> Row:
    return {
        "id": work.timeoff_type_id(index),
        "name": _TIMEOFF_TYPES[index],
        "color": f"{index * 60 + 40:02x}b0{200 - index * 50:02x}",
        "balance_type": 2 if index == 0 else 0,
        "active": True,
    }


def _phases(span: Span) -> list[Row]:
    return [
        {
            "id": work.phase_id(project, part),
            "project_id": work.project_id(project),
            "name": ("Concept", "Build")[part],
            "start_date": (span.first + timedelta(days=7 * project + 90 * part)).isoformat(),
            "end_date": (span.first + timedelta(days=7 * project + 90 * part + 89)).isoformat(),
            "budget_total": None if part else 2_500.0,
            "active": project != 12,
        }
        for project in range(0, len(PROJECTS), 2)
        for part in range(2)
    ]


def _project_tasks() -> list[Row]:
    # Twenty projects of ten tasks: exactly one page of the greatest size.
    return [
        {
            "id": work.project_task_id(project, activity),
            "project_id": work.project_id(project),
            "name": name,
            "billable": name != "Review",
            "budget": 12.5 * (activity + 1) if activity % 3 else None,
            "sort_order": activity,
        }
        for project in range(len(PROJECTS))
        for activity, name in enumerate(ACTIVITIES)
    ]
