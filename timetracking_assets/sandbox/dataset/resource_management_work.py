"""Rows of `resource_management` that grow with time: plans, absences, statuses, logged time."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from timetracking_assets.sandbox.dataset.absences import Absence, absences, days_away, over
from timetracking_assets.sandbox.dataset.calendar import Span, at
from timetracking_assets.sandbox.dataset.formats import hours, utc_text
from timetracking_assets.sandbox.dataset.randomness import Dice
from timetracking_assets.sandbox.dataset.rows import Resources, Row
from timetracking_assets.sandbox.dataset.vocabulary import ACTIVITIES
from timetracking_assets.sandbox.dataset.worklog import Pattern, Work, worklog

_LABEL: Final = "resource_management"
_NUMBERS_BEGIN: Final = date(2000, 1, 3)
_STATUSES: Final = ("Home office", "On site", "Travelling")


def person_id(index: int) -> int:
    """Identifier of a person."""
    return 1_501 + index


def project_id(index: int) -> int:
    """Identifier of a project."""
    return 6_001 + index


def phase_id(project: int, part: int) -> int:
    """Identifier of a part of a project with phases: the ones with an even index."""
    return 6_500 + project * 2 + part


def project_task_id(project: int, activity: int) -> int:
    """Identifier of a kind of work within a project."""
    return 70_001 + project * len(ACTIVITIES) + activity


def timeoff_type_id(kind: int) -> int:
    """Identifier of a kind of absence."""
    return 51 + kind


def generate(seed: int, span: Span, *, people: int, projects: int) -> Resources:
    """The resources `tasks`, `status`, `time_off` and `logged_time`."""
    # The last person left before the end of the span.
    workers = range(people - 1)
    away = absences(seed, _LABEL, span, workers)
    plans = {monday: _plans(seed, monday, workers, projects) for monday in span.weeks()}
    done = worklog(
        seed,
        _LABEL,
        span,
        people=workers,
        projects=projects,
        pattern=Pattern(people_per_day=(1, 2), pieces_per_person=(1, 2)),
        away=days_away(away),
    )
    return {
        "tasks": [task for week in plans.values() for task in week],
        "status": [row for quarter in span.quarters() for row in _statuses(seed, quarter, workers)],
        "time_off": [_time_off(absence) for absence in over(away, span)],
        "logged_time": [_logged(work, plans[_monday(work.day)]) for work in done],
    }


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _plans(seed: int, monday: date, people: Sequence[int], projects: int) -> list[Row]:
    """What was planned for a week on the Friday before it."""
    dice = Dice(seed, _LABEL, "plan", monday)
    number = (monday - _NUMBERS_BEGIN).days * 10
    rows: list[Row] = []
    for position, person in enumerate(dice.some(people, dice.between(3, 4))):
        project = dice.below(projects)
        first = monday + timedelta(days=dice.below(3))
        activity = dice.below(len(ACTIVITIES))
        planned = at(monday - timedelta(days=3), 14, position)
        with_kind = dice.chance(0.7)
        with_phase = project % 2 == 0 and dice.chance(0.5)
        rows.append(
            {
                "id": number + position,
                "project_id": project_id(project),
                "phase_id": phase_id(project, dice.below(2)) if with_phase else None,
                "project_task_id": project_task_id(project, activity) if with_kind else None,
                "person_id": person_id(person),
                "name": ACTIVITIES[activity] if with_kind else None,
                "start_date": first.isoformat(),
                "end_date": (monday + timedelta(days=4)).isoformat(),
                "hours": dice.pick((2.0, 4.0, 6.5, 8.0)),
                "billable": dice.chance(0.8),
                "status": dice.pick((1, 2, 2, 3)),
                "repeat": {"state": 0, "end_date": None},
                "notes": None,
                "created": utc_text(planned),
                "modified": utc_text(planned),
            }
        )
    return rows


def _statuses(seed: int, quarter: date, people: Sequence[int]) -> Iterator[Row]:
    dice = Dice(seed, _LABEL, "status", quarter)
    number = (quarter.year * 10 + quarter.month // 3) * 100
    for position, person in enumerate(dice.some(people, 4)):
        kind = dice.below(len(_STATUSES))
        yield {
            "id": number + position,
            "person_id": person_id(person),
            "status_type": {"id": 81 + kind, "name": _STATUSES[kind]},
            "name": None if dice.chance(0.5) else "bis auf Weiteres",
            "start_date": quarter.isoformat(),
            "end_date": (quarter + timedelta(days=dice.pick((4, 11, 25)))).isoformat(),
        }


def _time_off(absence: Absence) -> Row:
    requested = at(absence.first - timedelta(days=absence.roll % 30 + 1), 9)
    return {
        "id": absence.number,
        "timeoff_type_id": timeoff_type_id(absence.kind),
        "people_ids": [person_id(absence.person)],
        "start_date": absence.first.isoformat(),
        "end_date": absence.last.isoformat(),
        "full_day": not absence.half_day,
        "hours": 4.0 if absence.half_day else None,
        "status": {"code": -1 if absence.declined else 2, "by": None if absence.declined else 101},
        "notes": "Familienfeier" if absence.roll % 11 == 0 else None,
        "created": utc_text(requested),
        "modified": utc_text(requested + timedelta(hours=absence.roll % 5)),
    }


def _logged(work: Work, plans: Sequence[Row]) -> Row:
    plan = plans[work.roll % len(plans)] if work.roll % 5 < 2 else None
    return {
        "id": work.number,
        "person_id": person_id(work.person),
        "project_id": plan["project_id"] if plan else project_id(work.project),
        "task_id": plan["id"] if plan else None,
        "date": work.day.isoformat(),
        "hours": hours(work.length),
        "billable": work.billable,
        "notes": work.note,
        "created": utc_text(work.created),
        "modified": utc_text(work.changed),
    }
