"""Windows: half-open UTC intervals, how one is requested, and which rows lie in it.

Instants are compared, never text: a row's time is an instant (or a date in the partition's zone),
whatever offset the API writes. What a partition key is, belongs to `orchestration/partitions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.window import WindowSpec
from timetracking_assets.warehouse.base import quoted

if TYPE_CHECKING:
    import pyarrow as pa


def in_window_sql(resource: Resource, window: Window | None) -> str:
    """Standard SQL that is true for a row of the resource's table that lies in `window`; for every
    row without a window."""
    if window is None or resource.window is None:
        return "true"
    name = resource.window.field
    return window_condition(quoted(name), resource.columns[name].data_type, window)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """The half-open interval [start, end), both in UTC; `timezone` is the zone of its days."""

    start: datetime
    end: datetime
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window's ends are instants: they need a time zone")
        if self.start >= self.end:
            raise ValueError(f"a window must end after its start, got {self}")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    def __str__(self) -> str:
        return f"[{_text(self.start)}, {_text(self.end)})"

    @classmethod
    def parse(cls, text: str, timezone: str = "UTC") -> Window:
        """The window that `str` wrote. Raises ValueError for any other text."""
        start, end = (datetime.fromisoformat(bound) for bound in text.strip("[)").split(", "))
        return cls(start, end, timezone)

    @classmethod
    def of_days(cls, first: date, end: date, timezone: str = "UTC") -> Window:
        """The days from `first` up to, but not with, `end` in `timezone` (23 to 25 hours each)."""
        zone = ZoneInfo(timezone)
        return cls(
            datetime.combine(first, time.min, zone), datetime.combine(end, time.min, zone), timezone
        )

    @property
    def dates(self) -> tuple[date, date]:
        """First day and the day after the last, in the window's zone."""
        zone = ZoneInfo(self.timezone)
        # in UTC: where clocks go forward at midnight, a local day does not begin at 00:00
        last = (self.end - timedelta(microseconds=1)).astimezone(zone).date()
        return self.start.astimezone(zone).date(), last + timedelta(days=1)

    def parts(self, max_days: int | None) -> list[Window]:
        """The window in parts of at most `max_days` days of its zone, one after another."""
        first, end = self.dates
        zone = ZoneInfo(self.timezone)
        cuts = [self.start]
        while max_days and (first := first + timedelta(days=max_days)) < end:
            cuts.append(datetime.combine(first, time.min, zone))
        return [
            Window(a, b, self.timezone) for a, b in zip(cuts, [*cuts[1:], self.end], strict=True)
        ]

    def halves(self, *, by_day: bool) -> tuple[Window, Window] | None:
        """The window in two, at a whole second or day; None if it is too short for that."""
        if by_day:
            first, end = self.dates
            middle_day = first + (end - first) // 2
            if middle_day == first:
                return None
            return (
                Window.of_days(first, middle_day, self.timezone),
                Window.of_days(middle_day, end, self.timezone),
            )
        middle = self.start + timedelta(seconds=(self.end - self.start) // timedelta(seconds=2))
        if middle == self.start:
            return None
        return replace(self, end=middle), replace(self, start=middle)

    @property
    def years(self) -> list[int]:
        """The calendar years that the window touches, in its zone."""
        first, end = self.dates
        return list(range(first.year, (end - timedelta(days=1)).year + 1))

    def of_year(self, year: int) -> Window:
        """The part of the window that lies in a calendar year of its zone."""
        whole = Window.of_days(date(year, 1, 1), date(year + 1, 1, 1), self.timezone)
        return replace(self, start=max(self.start, whole.start), end=min(self.end, whole.end))


def _text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


class Series(NamedTuple):
    """One series of requests: the window whose rows are requested, and the parameters."""

    window: Window | None
    params: dict[str, Any]


def request_series(spec: WindowSpec, window: Window) -> list[Series]:
    """What to request to get the rows of `window`.

    One series for a start and an end (or a start alone), several where the window is longer than
    the API answers at once, one per year for a year parameter.
    """
    if spec.year_param:
        return [Series(window.of_year(year), {spec.year_param: year}) for year in window.years]
    return [Series(part, _bounds(spec, part)) for part in window.parts(spec.max_days)]


def series_of(resource: Resource, window: Window) -> list[Series]:
    """What to request to get the rows of `window`, whichever days the API means.

    Where it is requested by days or years and its rows have instants, they are those of the
    window's `timezone`, else of `partitions`. Without either, a day more is requested on each side:
    a row's instant decides whether it lies in the window.
    """
    spec, partitions = resource.window, resource.partitions
    if spec is None:
        return [Series(None, {})]
    column = resource.columns.get(spec.field)
    in_days = spec.asks_by_day or spec.year_param
    if not in_days or column is None or column.data_type != "timestamp":
        return request_series(spec, window)
    zone = next((k.timezone for k in (spec, partitions) if k and k.states_timezone), None)
    if zone == window.timezone:
        return request_series(spec, window)
    first, end = replace(window, timezone=zone or window.timezone).dates
    if zone is None:
        first, end = first - timedelta(days=1), end + timedelta(days=1)
    if spec.year_param:
        years = range(first.year, (end - timedelta(days=1)).year + 1)
        return [Series(window, {spec.year_param: year}) for year in years]
    days = (end - first).days
    length = spec.max_days or days
    parts = [
        (first + timedelta(days=day), min(first + timedelta(days=day + length), end))
        for day in range(0, days, length)
    ]
    # no row is in two of them: all are the window's
    return [Series(window, _days(spec, *part)) for part in parts]


def _days(spec: WindowSpec, first: date, end: date) -> dict[str, Any]:
    last = end - timedelta(days=1) if spec.end_inclusive else end
    zone = ZoneInfo(spec.timezone)
    return {
        param: format_bound(datetime.combine(day, time(12), zone), day, spec.format, spec.timezone)
        for param, day in ((spec.start_param, first), (spec.end_param, last))
        if param
    }


def _bounds(spec: WindowSpec, window: Window) -> dict[str, Any]:
    if spec.asks_by_day:
        # a pattern without hours, too: days are those of the window's zone
        return _days(spec, *window.dates)
    return {
        param: format_bound(instant, instant.date(), spec.format, spec.timezone)
        for param, instant in ((spec.start_param, window.start), (spec.end_param, window.end))
        if param
    }


def format_bound(
    instant: datetime, day: date, time_format: str, timezone: str = "UTC"
) -> str | int:
    """One end of a window as the API wants it: `date` gives `day`, UNIX time is a number, `iso` and
    strftime patterns tell the time of `timezone`.
    """
    if time_format == "date":
        return day.isoformat()
    if time_format == "unix_seconds":
        return int(instant.timestamp())
    if time_format == "unix_milliseconds":
        return (instant - _EPOCH) // timedelta(milliseconds=1)
    local = instant.astimezone(ZoneInfo(timezone))
    if time_format == "iso":
        return local.isoformat(timespec="seconds").replace("+00:00", "Z")
    return local.strftime(time_format)


def in_window(column: pa.ChunkedArray, window: Window) -> pa.ChunkedArray:
    """A boolean per row: does its time lie in `window`? A row without a time counts as inside.

    `column` holds UTC timestamps or dates; a date is a day in the window's zone.
    """
    # definitions need windows, too, but no columns
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_date(column.type):
        low, high = (pa.scalar(day, type=column.type) for day in window.dates)
    else:
        low, high = (pa.scalar(at, type=column.type) for at in (window.start, window.end))
    inside = pc.and_(pc.greater_equal(column, low), pc.less(column, high))
    return pc.fill_null(inside, True)


def window_condition(column: str, data_type: str, window: Window) -> str:
    """Standard SQL that is true for a row in `window`; `column` is a quoted identifier."""
    if data_type == "date":
        low, high = (f"DATE '{day.isoformat()}'" for day in window.dates)
    else:
        low, high = (
            f"CAST('{at.strftime('%Y-%m-%d %H:%M:%S.%f+00')}' AS TIMESTAMP WITH TIME ZONE)"
            for at in (window.start, window.end)
        )
    return f"({column} >= {low} AND {column} < {high})"
