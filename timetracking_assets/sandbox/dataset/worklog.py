"""Work done: the source of every API's time entries.

How an API names and writes an entry belongs to that API's module.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from timetracking_assets.sandbox.dataset.calendar import Span, at
from timetracking_assets.sandbox.dataset.randomness import Dice
from timetracking_assets.sandbox.dataset.vocabulary import NOTES

_QUARTER: Final = timedelta(minutes=15)
_NUMBERS_BEGIN: Final = date(2000, 1, 1)


class Work(NamedTuple):
    """One piece of work by one person, never across midnight; instants are UTC."""

    number: int
    day: date
    person: int
    project: int
    start: datetime
    stop: datetime
    created: datetime
    changed: datetime
    note: str | None
    billable: bool
    roll: int
    """A number below 10,000, all equally likely, for what only one API needs."""

    @property
    def length(self) -> timedelta:
        """From start to stop."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Pattern:
    """How much is worked: bounds, both included."""

    people_per_day: tuple[int, int]
    pieces_per_person: tuple[int, int]


def worklog(
    seed: int,
    label: str,
    span: Span,
    *,
    people: Sequence[int],
    projects: int,
    pattern: Pattern,
    away: Collection[tuple[int, date]] = frozenset(),
) -> Iterator[Work]:
    """What those people worked in the span, as it was known at the span's horizon.

    Some of it is written down only days later, and some is corrected days later: what lies beyond
    the horizon has not happened yet. `projects` is the number of projects to choose from.
    """
    for day in span.workdays():
        dice = Dice(seed, label, "work", day)
        present = [person for person in people if (person, day) not in away]
        count = min(dice.between(*pattern.people_per_day), len(present))
        for person in dice.some(present, count):
            clock = at(day, 8) + dice.below(8) * _QUARTER
            for piece in range(dice.between(*pattern.pieces_per_person)):
                work, revision = _piece(dice, person, piece, clock, projects)
                # An hour's gap at least, into which a revision may extend.
                clock = work.stop + dice.between(4, 6) * _QUARTER
                if work.created < span.horizon:
                    yield revision if revision.changed < span.horizon else work


def _piece(
    dice: Dice, person: int, piece: int, clock: datetime, projects: int
) -> tuple[Work, Work]:
    day = clock.date()
    stop = clock + dice.between(2, 12) * _QUARTER
    next_days = timedelta(days=dice.pick((1, 2, 3, 6)), minutes=dice.below(60))
    # First pieces are written down at once, so that yesterday is never without a row.
    late = dice.chance(0.2) and piece > 0
    created = at(day, 7) + next_days if late else stop + timedelta(minutes=5)
    work = Work(
        number=((day - _NUMBERS_BEGIN).days * 100 + person) * 10 + piece,
        day=day,
        person=person,
        project=dice.below(projects),
        start=clock,
        stop=stop,
        created=created,
        changed=created,
        note=None if dice.chance(0.2) else dice.pick(NOTES),
        billable=dice.chance(0.75),
        roll=dice.below(10_000),
    )
    return work, _revision(dice, work)


def _revision(dice: Dice, work: Work) -> Work:
    """The same work after a later correction; most is never corrected."""
    delay = timedelta(days=dice.pick((1, 1, 3, 6, 12, 26)), seconds=dice.below(3_600))
    looked_at = dice.chance(0.15)
    longer = dice.chance(0.6)
    if not looked_at:
        return work
    return work._replace(
        stop=work.stop + (_QUARTER if longer else timedelta()),
        changed=work.created + delay,
        note=f"{work.note} (corrected)" if work.note else "added later",
    )
