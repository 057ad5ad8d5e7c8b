"""Which checks the model has, what each is called, and which of them are blocking."""

from __future__ import annotations

from collections.abc import Sequence

from timetracking_assets.hours.checks.check import Check, Question
from timetracking_assets.hours.checks.entries import (
    MAX_HOURS,
    durations,
    midnight,
    overlaps,
    running,
    same_work,
    spans,
)
from timetracking_assets.hours.checks.equality import (
    days_in_and_out,
    hours_in_and_out,
    mart_equals_entries,
    sources_present,
)
from timetracking_assets.hours.checks.references import (
    LINKS,
    keys_unique,
    mapped_values,
    people_matched,
    references_resolve,
    values_known,
)
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.tables import TABLES


def checks_of(model: HoursModel) -> list[Check]:
    """All checks of the model, in the order of its tables."""
    checks: list[Check] = []
    for name, table in TABLES.items():
        if table.mapping:
            checks.append(
                Check(
                    name,
                    "keys_unique",
                    True,
                    f"No two rows have the same {', '.join(table.key)}.",
                    keys_unique,
                )
            )
        if name in LINKS:
            checks.append(
                Check(
                    name,
                    "references_resolve",
                    False,
                    "Each person, project, client, task and plan that a row names exists.",
                    references_resolve,
                )
            )
        if any(mapped_values(item) for item in model.mapped(table)):
            checks.append(
                Check(
                    name,
                    "values_known",
                    False,
                    "Each value of the API has its meaning in `unified`; one without gives none.",
                    values_known,
                )
            )
        checks += [Check(name, *rest) for rest in _OF_TABLES.get(name, ())]
    return checks


_Rest = tuple[str, bool, str, Question] | tuple[str, bool, str, Question, bool]
_OF_TABLES: dict[str, Sequence[_Rest]] = {
    "people_in_sources": (
        ("people_matched", False, "Each account is matched with a person.", people_matched),
    ),
    "time_entries": (
        (
            "hours_in_equal_hours_out",
            True,
            "The model has each time entry of the raw tables once, with its seconds.",
            hours_in_and_out,
        ),
        (
            "sources_present",
            False,
            "Each raw table that has been loaded is in the warehouse.",
            sources_present,
            False,
        ),
        ("no_overlaps", False, "Nobody does two things at a time in one API.", overlaps),
        (
            "durations_plausible",
            False,
            f"Durations are there, not negative, and at most {MAX_HOURS} hours.",
            durations,
        ),
        (
            "durations_match_spans",
            False,
            "Durations are the time from start to end.",
            spans,
        ),
        ("no_running_timers", False, "All timers have been stopped.", running),
        (
            "no_entries_over_midnight",
            False,
            "Entries end on the day they began on.",
            midnight,
        ),
        ("no_work_twice", False, "No work is in two APIs.", same_work, False),
    ),
    "absences": (
        (
            "days_in_equal_days_out",
            False,
            "The model has each absence of the raw tables once for each person, with its days.",
            days_in_and_out,
        ),
    ),
    "plans": (
        (
            "days_in_equal_days_out",
            False,
            "The model has each plan of the raw tables once, with its days.",
            days_in_and_out,
        ),
    ),
    **dict.fromkeys(
        ("person_days", "person_project_weeks"),
        (
            (
                "hours_equal_entries",
                True,
                "Worked and billable seconds are those of the time entries.",
                mart_equals_entries,
            ),
        ),
    ),
}
