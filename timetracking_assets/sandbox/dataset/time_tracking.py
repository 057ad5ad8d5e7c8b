"""Rows of `time_tracking`: one list of time records."""

from typing import Final

from timetracking_assets.sandbox.dataset.calendar import Span
from timetracking_assets.sandbox.dataset.formats import seconds, utc_text
from timetracking_assets.sandbox.dataset.rows import Resources, Row
from timetracking_assets.sandbox.dataset.worklog import Pattern, Work, worklog

_PEOPLE: Final = range(5)
_PROJECTS: Final = 8
_CUSTOMERS: Final = 5
_RATES: Final = (85.0, 97.5, 110.0, None)


def generate(seed: int, span: Span) -> Resources:
    """All resources of the API."""
    done = worklog(
        seed,
        "time_tracking",
        span,
        people=_PEOPLE,
        projects=_PROJECTS,
        pattern=Pattern(people_per_day=(1, 2), pieces_per_person=(1, 2)),
    )
    return {"time_tracking_data": [_record(work) for work in done]}


def _record(work: Work) -> Row:
    return {
        "id": work.number,
        "customer_id": 301 + work.project % _CUSTOMERS,
        "project_id": 4_001 + work.project,
        "user_id": 11 + work.person,
        "date": work.day.isoformat(),
        "started_at": utc_text(work.start),
        "ended_at": utc_text(work.stop),
        "duration": seconds(work.length),
        "billable": work.billable,
        "hourly_rate": _RATES[work.person % len(_RATES)] if work.billable else None,
        "note": work.note,
        "created_at": utc_text(work.created),
        "updated_at": utc_text(work.changed),
    }
