"""Who was away when: the source of every API's absences, and of days without work.

How an API names and writes an absence belongs to that API's module.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from timetracking_assets.sandbox.dataset.calendar import Span, days, is_workday
from timetracking_assets.sandbox.dataset.randomness import Dice

VACATION: Final = 0
SICKNESS: Final = 1
TRAINING: Final = 2


@dataclass(frozen=True, slots=True)
class Absence:
    """One person away from `first` to `last`, both included."""

    number: int
    person: int
    first: date
    last: date
    kind: int
    half_day: bool
    declined: bool
    roll: int
    """A number below 10,000, all equally likely, for what only one API needs."""

    @property
    def workdays(self) -> float:
        """How many workdays it costs; half a day is 0.5."""
        if self.half_day:
            return 0.5
        until = self.last + timedelta(days=1)
        return float(sum(is_workday(day) for day in days(self.first, until)))


def absences(seed: int, label: str, span: Span, people: Sequence[int]) -> list[Absence]:
    """Each person's absences in the span, those that are not over yet included.

    At each turn of a year somebody is away from 28 December to 3 January.
    """
    return [
        absence
        for quarter in span.quarters()
        for absence in _in_quarter(seed, label, quarter, people)
        if absence.first < span.end
    ]


def over(found: Sequence[Absence], span: Span) -> list[Absence]:
    """Only those that ended before the span does: the ones that an API reports."""
    return [absence for absence in found if absence.last < span.end]


def days_away(found: Sequence[Absence]) -> frozenset[tuple[int, date]]:
    """Person and day of every full day away.

    Absences that are not over yet count too: work that was done must not vanish once they are.
    """
    return frozenset(
        (absence.person, day)
        for absence in found
        if not absence.half_day and not absence.declined
        for day in days(absence.first, absence.last + timedelta(days=1))
    )


def _in_quarter(seed: int, label: str, quarter: date, people: Sequence[int]) -> Iterator[Absence]:
    number = (quarter.year * 10 + quarter.month // 3) * 100
    for person in people:
        dice = Dice(seed, label, "absence", quarter, person)
        first = quarter + timedelta(days=dice.between(7, 59))
        first += timedelta(days=(7 - first.weekday()) % 7 if first.weekday() > 4 else 0)
        half_day = dice.chance(0.25)
        length = 1 if half_day else dice.pick((1, 1, 2, 3, 5, 5, 12, 19))
        yield Absence(
            number=number + person,
            person=person,
            first=first,
            last=first + timedelta(days=length - 1),
            kind=dice.pick((VACATION, VACATION, VACATION, SICKNESS, SICKNESS, TRAINING)),
            half_day=half_day,
            declined=dice.chance(0.05),
            roll=dice.below(10_000),
        )
    if quarter.month == 10:
        person = people[quarter.year % len(people)]
        yield Absence(
            number=number + 50 + person,
            person=person,
            first=date(quarter.year, 12, 28),
            last=date(quarter.year + 1, 1, 3),
            kind=VACATION,
            half_day=False,
            declined=False,
            roll=Dice(seed, label, "turn of year", quarter.year).below(10_000),
        )
