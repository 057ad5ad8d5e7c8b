"""Windows are half-open, their days as long as the zone's, and SQL and Arrow agree on them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timetracking_assets.ingest.windows import (
    Window,
    format_bound,
    in_window,
    request_series,
    series_of,
    window_condition,
)
from timetracking_assets.spec.api import Resource
from timetracking_assets.spec.window import PartitionsSpec, WindowSpec

DAY = timedelta(days=1)
ZONES = ["UTC", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "Asia/Kathmandu"]
BERLIN = "Europe/Berlin"


def day(first: date, zone: str = "UTC") -> Window:
    return Window.of_days(first, first + DAY, zone)


@pytest.mark.parametrize(
    ("first", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_a_day_is_as_long_as_its_zone_makes_it(first: date, hours: int) -> None:
    window = day(first, BERLIN)
    assert window.end - window.start == timedelta(hours=hours)
    assert window.dates == (first, first + DAY)


def test_a_window_is_read_as_it_is_written() -> None:
    window = day(date(2026, 3, 29), BERLIN)
    assert Window.parse(str(window), BERLIN) == window
    with pytest.raises(ValueError, match="whole table"):
        Window.parse("whole table")


@pytest.mark.parametrize(
    ("last", "zone"),
    [(date(2025, 9, 6), "America/Santiago"), (date(2025, 4, 24), "Africa/Cairo")],
)
def test_a_day_ends_where_clocks_go_forward_at_midnight(last: date, zone: str) -> None:
    assert day(last, zone).dates == (last, last + DAY)
    assert day(last + DAY, zone).dates == (last + DAY, last + 2 * DAY)
    assert day(last + DAY, zone).end - day(last + DAY, zone).start == timedelta(hours=23)


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.sampled_from(ZONES))
def test_days_follow_each_other_without_gap_or_overlap(first: date, zone: str) -> None:
    today, tomorrow = day(first, zone), day(first + DAY, zone)
    assert today.end == tomorrow.start
    assert today.dates == (first, first + DAY)
    assert Window.of_days(first, first + 3 * DAY, zone).dates == (first, first + 3 * DAY)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
)
def test_each_instant_lies_in_exactly_one_day(instant: datetime, zone: str) -> None:
    local = instant.astimezone(ZoneInfo(zone)).date()
    column = pa.chunked_array([[instant]], pa.timestamp("us", tz="UTC"))
    days = [local + n * DAY for n in (-2, -1, 0, 1, 2)]
    assert [d for d in days if in_window(column, day(d, zone))[0].as_py()] == [local]


def test_ends_are_instants_in_order() -> None:
    start = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert str(Window(start, start + DAY)) == "[2025-12-31T23:00:00Z, 2026-01-01T23:00:00Z)"
    with pytest.raises(ValueError, match="need a time zone"):
        Window(datetime(2026, 1, 1), start + DAY)
    with pytest.raises(ValueError, match="must end after its start"):
        Window(start, start)


def test_years_are_those_of_the_zone() -> None:
    assert Window.of_days(date(2024, 1, 1), date(2026, 1, 1), BERLIN).years == [2024, 2025]
    assert day(date(2025, 12, 31), BERLIN).years == [2025]


def test_a_year_parameter_asks_once_per_year() -> None:
    spec = WindowSpec(field="day", year_param="year")
    asked = request_series(spec, Window.of_days(date(2024, 1, 1), date(2026, 1, 1), BERLIN))
    assert asked == [
        (Window.of_days(date(year, 1, 1), date(year + 1, 1, 1), BERLIN), {"year": year})
        for year in (2024, 2025)
    ]


@pytest.mark.parametrize(
    ("time_format", "start", "end"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("date", "2026-03-29", "2026-03-30"),
        ("unix_seconds", 1774738800, 1774821600),
        ("unix_milliseconds", 1774738800000, 1774821600000),
        ("%d.%m.%Y %H:%M", "28.03.2026 23:00", "29.03.2026 22:00"),
    ],
)
def test_bounds_are_written_as_the_api_wants_them(
    time_format: str, start: str | int, end: str | int
) -> None:
    window = day(date(2026, 3, 29), BERLIN)
    both = WindowSpec(field="day", start_param="a", end_param="b", format=time_format)
    assert request_series(both, window) == [(window, {"a": start, "b": end})]
    alone = WindowSpec(field="day", start_param="a", format=time_format)
    assert request_series(alone, window) == [(window, {"a": start})]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_milliseconds_lose_no_digit(instant: datetime) -> None:
    instant = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    milliseconds = format_bound(instant, instant.date(), "unix_milliseconds")
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(milliseconds)) == instant


def test_a_row_without_a_time_counts_as_inside() -> None:
    times = pa.chunked_array([[None]], pa.timestamp("us", tz="UTC"))
    dates = pa.chunked_array([[None]], pa.date32())
    for column in (times, dates):
        assert in_window(column, day(date(2026, 1, 1))).to_pylist() == [True]


def test_dates_are_days_of_the_windows_zone() -> None:
    dates = pa.chunked_array([[date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]])
    inside = in_window(dates, day(date(2026, 3, 29), BERLIN))
    assert inside.to_pylist() == [False, True, False]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("session_zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("data_type", ["timestamp", "date"])
def test_sql_and_arrow_agree(zone: str, session_zone: str, data_type: str) -> None:
    window = Window(
        datetime(2026, 3, 28, 23, 0, 0, 5, UTC), datetime(2026, 4, 2, 0, 0, 0, 7, UTC), zone
    )
    values: list[Any]
    if data_type == "date":
        values = [date(2026, 3, 25) + n * DAY for n in range(12)]
        column = pa.chunked_array([values], pa.date32())
    else:
        ends = (window.start, window.end)
        values = [end + timedelta(microseconds=n) for end in ends for n in (-1, 0, 1)]
        column = pa.chunked_array([values], pa.timestamp("us", tz="UTC"))
    table = pa.table({"at": column})
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{session_zone}'")
        connection.register("entries", table)
        condition = window_condition('"at"', data_type, window)
        found = connection.execute(f"SELECT {condition} FROM entries").fetchall()
    expected = in_window(column, window).to_pylist()
    assert [inside for (inside,) in found] == expected
    if data_type == "timestamp":
        assert expected == [False, True, True, True, False, False]


@pytest.mark.parametrize(
    ("time_format", "zone", "written"),
    [
        ("iso", "UTC", "2026-06-30T22:00:00Z"),
        ("iso", BERLIN, "2026-07-01T00:00:00+02:00"),
        ("%Y-%m-%dT%H:%M:%S", BERLIN, "2026-07-01T00:00:00"),
        ("%Y-%m-%d %H:%M:%S", BERLIN, "2026-07-01 00:00:00"),
        ("%Y-%m-%d %H:%M:%S", "UTC", "2026-06-30 22:00:00"),
        ("date", "UTC", "2026-07-01"),
        ("unix_seconds", "UTC", 1782856800),
        ("unix_milliseconds", "UTC", 1782856800000),
    ],
)
def test_a_bound_is_written_in_the_zone_that_the_file_names(
    time_format: str, zone: str, written: str | int
) -> None:
    window = day(date(2026, 7, 1), BERLIN)
    assert format_bound(window.start, window.dates[0], time_format, zone) == written


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.integers(1, 99), st.integers(1, 40))
def test_the_parts_of_a_window_are_the_window(first: date, days: int, max_days: int) -> None:
    window = Window.of_days(first, first + days * DAY, "America/Santiago")
    parts = window.parts(max_days)
    assert (parts[0].start, parts[-1].end) == (window.start, window.end)
    assert all(a.end == b.start for a, b in itertools.pairwise(parts))
    assert all((p.dates[1] - p.dates[0]).days <= max_days for p in parts)
    assert len(parts) == -(-days // max_days)
    assert window.parts(None) == [window]


def test_a_long_window_is_requested_in_several_series() -> None:
    spec = WindowSpec(
        field="day",
        start_param="from",
        end_param="to",
        format="date",
        max_days=31,
        end_inclusive=True,
    )
    window = Window.of_days(date(2026, 1, 1), date(2026, 3, 5), BERLIN)
    cuts = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 4), date(2026, 3, 5)]
    asked = [
        {"from": "2026-01-01", "to": "2026-01-31"},
        {"from": "2026-02-01", "to": "2026-03-03"},
        {"from": "2026-03-04", "to": "2026-03-04"},
    ]
    assert request_series(spec, window) == [
        (Window.of_days(first, end, BERLIN), params)
        for (first, end), params in zip(itertools.pairwise(cuts), asked, strict=True)
    ]


@pytest.mark.parametrize("by_day", [False, True])
def test_halves_are_the_whole_window(by_day: bool) -> None:
    """Over a change of clocks: 47 hours."""
    window = Window.of_days(date(2026, 3, 28), date(2026, 3, 30), BERLIN)
    first, second = window.halves(by_day=by_day) or ()
    assert (first.start, second.end) == (window.start, window.end)
    assert first.end == second.start
    assert (first.end - first.start == timedelta(days=1)) == by_day
    assert first.timezone == BERLIN


def test_the_shortest_windows_have_no_halves() -> None:
    second = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert second.halves(by_day=False) is None
    assert day(date(2026, 1, 1), BERLIN).halves(by_day=True) is None


@pytest.mark.parametrize("time_format", ["date", "%d.%m.%Y"])
@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("max_days", [None, 1, 2])
@pytest.mark.parametrize("stated", [None, "window", "partitions"])
@pytest.mark.parametrize("meant", [BERLIN, "America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
def test_no_row_is_missed_whichever_days_the_api_means(
    resource: Callable[..., Resource],
    time_format: str,
    inclusive: bool,
    max_days: int | None,
    stated: str | None,
    meant: str,
) -> None:
    """Each instant of the window lies in a requested day of the zone that the API means, once."""
    if inclusive and time_format != "date":
        pytest.skip("needs dates")
    spec: dict[str, Any] = {
        "field": "at", "start_param": "a", "end_param": "b", "format": time_format,
        "end_inclusive": inclusive, "max_days": max_days,
    }  # fmt: skip
    spec |= {"timezone": meant} if stated == "window" else {}
    zone = {"timezone": meant} if stated == "partitions" else {}
    partitions = PartitionsSpec(type="daily", start="2026-01-01", **zone)
    entries = resource(columns={"at": "timestamp"}, partitions=partitions).model_copy(
        update={"window": WindowSpec(**spec)}
    )
    window = Window.of_days(date(2026, 6, 1), date(2026, 6, 3), zone.get("timezone", "UTC"))
    series = series_of(entries, window)
    written = "%Y-%m-%d" if time_format == "date" else time_format
    days: list[date] = []
    for one in series:
        first, last = (datetime.strptime(one.params[key], written).date() for key in "ab")
        end = last + timedelta(days=1) if inclusive else last
        assert (end - first).days <= (max_days or 4)
        days += [first + timedelta(days=day) for day in range((end - first).days)]
    assert len(set(days)) == len(days) <= (4 if stated is None else 3)
    for hour in range(48):
        instant = window.start + timedelta(hours=hour)
        assert instant.astimezone(ZoneInfo(meant)).date() in days


@pytest.mark.parametrize(
    ("stated", "years"),
    [
        ({}, [2024, 2025, 2026]),
        ({"timezone": "UTC"}, [2025]),
        ({"timezone": BERLIN}, [2025, 2026]),
        ({"timezone": "America/Los_Angeles"}, [2024, 2025]),
    ],
)
@pytest.mark.parametrize("kind", ["timestamp", "date"])
def test_instants_are_in_the_years_that_the_api_means(
    resource: Callable[..., Resource], stated: dict[str, str], years: list[int], kind: str
) -> None:
    spec = WindowSpec(field="at", year_param="year", **stated)
    entries = resource(columns={"at": kind}, window="at").model_copy(update={"window": spec})
    window = Window.of_days(date(2025, 1, 1), date(2026, 1, 1))
    series = series_of(entries, window)
    assert [one.params["year"] for one in series] == (years if kind == "timestamp" else [2025])
    assert {one.window for one in series} == {window}


def test_rows_with_dates_have_the_days_that_the_api_means(
    resource: Callable[..., Resource],
) -> None:
    spec = WindowSpec(field="day", start_param="a", end_param="b", format="date")
    entries = resource(columns={"day": "date"}, window="day").model_copy(update={"window": spec})
    window = day(date(2026, 6, 1), "UTC")
    assert series_of(entries, window) == [(window, {"a": "2026-06-01", "b": "2026-06-02"})]
