"""Days: the span that the data covers, workdays, weeks, and public holidays.

Text forms of dates and instants belong to `formats`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

PUBLIC_HOLIDAYS: Final = {
    (1, 1): "New Year's Day",
    (5, 1): "Labour Day",
    (12, 25): "Midwinter Holiday",
    (12, 26): "Second Midwinter Holiday",
}
"""Month and day of the holidays that fall on the same date each year."""

_HISTORY: Final = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open span of days [first, end) that the data covers; `end` is the current day."""

    first: date
    end: date

    @classmethod
    def until(cls, today: date) -> "Span":
        """Two to two and a half years before `today`.

        It begins on a 1 January or a 1 July, so that history does not lose a day with each day.
        """
        earliest = today - _HISTORY
        return cls(first=date(earliest.year, 1 if earliest.month < 7 else 7, 1), end=today)

    @property
    def horizon(self) -> datetime:
        """The instant that ends yesterday: whatever would happen from it on has not happened."""
        return at(self.end)

    def workdays(self) -> Iterator[date]:
        """The days of the span on which people work."""
        return (day for day in days(self.first, self.end) if is_workday(day))

    def weeks(self) -> Iterator[date]:
        """The Mondays of the weeks that the span touches."""
        monday = self.first - timedelta(days=self.first.weekday())
        while monday < self.end:
            yield monday
            monday += timedelta(days=7)

    def quarters(self) -> Iterator[date]:
        """The first days of the quarters that the span touches; `first` begins one."""
        day = self.first
        while day < self.end:
            yield day
            day = date(day.year + day.month // 10, (day.month + 2) % 12 + 1, 1)


def days(first: date, end: date) -> Iterator[date]:
    """The days of [first, end)."""
    return (first + timedelta(days=offset) for offset in range((end - first).days))


def is_workday(day: date) -> bool:
    """Monday to Friday, public holidays excepted."""
    return day.weekday() < 5 and (day.month, day.day) not in PUBLIC_HOLIDAYS


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """An instant of that day, UTC."""
    return datetime.combine(day, time(hour, minute), tzinfo=UTC)
