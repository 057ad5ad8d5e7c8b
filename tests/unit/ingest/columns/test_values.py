"""Text and numbers as instants: offsets win, local times are placed in the declared zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timetracking_assets.ingest.columns.values import TimeFormatError, to_date, to_timestamp

BERLIN = "Europe/Berlin"


def instants(*texts: str | None, zone: str = "UTC") -> list[datetime | None]:
    found: list[datetime | None] = to_timestamp(
        pa.chunked_array([list(texts)], pa.string()), "iso", zone
    ).to_pylist()
    return found


@pytest.mark.parametrize("zone", ["UTC", BERLIN])
@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:30:00Z",
        "2026-01-01 00:30:00Z",
        "2026-01-01T01:30:00+01:00",
        "2026-01-01T01:30:00+0100",
        "2026-01-01T01:30:00+01",
        "2026-01-01 01:30:00+01:00",
        "2025-12-31T19:00:00-0530",
        "2026-01-01T00:30Z",
        "2026-01-01T00:30:00.0Z",
        "2026-01-01T01:30:00.000000000+01:00",
    ],
)
def test_an_offset_wins_over_the_zone(text: str, zone: str) -> None:
    assert instants(text, zone=zone) == [datetime(2026, 1, 1, 0, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01 00:30:00", datetime(2025, 12, 31, 23, 30, tzinfo=UTC)),
        ("2026-07-01T00:30:00", datetime(2026, 6, 30, 22, 30, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-01-01T00:30:00.123456789", datetime(2025, 12, 31, 23, 30, 0, 123456, UTC)),
        ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-03-29T02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-03-29T02:00:00", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("2026-03-29T02:59:59.999999", datetime(2026, 3, 29, 1, 59, 59, 999999, UTC)),
        ("2026-03-29T03:00:00", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ],
)
def test_text_without_an_offset_is_local(text: str, expected: datetime) -> None:
    assert instants(text, zone=BERLIN) == [expected]


def test_a_column_may_mix_both_and_nulls() -> None:
    found = instants("2026-01-01T00:00:00Z", None, "2026-01-01 01:00:00", zone=BERLIN)
    assert found == [datetime(2026, 1, 1, tzinfo=UTC), None, datetime(2026, 1, 1, tzinfo=UTC)]
    assert instants(None, None, zone=BERLIN) == [None, None]


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)),
    st.sampled_from([BERLIN, "America/Santiago", "Africa/Cairo", "Australia/Lord_Howe"]),
)
def test_local_times_are_placed_as_python_places_them(local: datetime, zone: str) -> None:
    # a text does not say which of two equal local times it is: the first one is taken
    placed = local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    assert instants(local.isoformat(), zone=zone) == [placed]


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.timezones()),
    st.sampled_from(["T", " "]),
)
def test_instants_are_kept_to_the_microsecond(instant: datetime, separator: str) -> None:
    whole_minutes = (instant.utcoffset() or timedelta()).seconds % 60 == 0
    instant = instant if whole_minutes else instant.astimezone(UTC)
    assert instants(instant.isoformat(separator), zone=BERLIN) == [instant.astimezone(UTC)]


def test_unix_times() -> None:
    numbers = pa.chunked_array([[1767225600, None]], pa.int64())
    expected = [datetime(2026, 1, 1, tzinfo=UTC), None]
    assert to_timestamp(numbers, "unix_seconds", "UTC").to_pylist() == expected
    numbers = pa.chunked_array([[1767225600001, None]], pa.int64())
    expected = [datetime(2026, 1, 1, 0, 0, 0, 1000, UTC), None]
    assert to_timestamp(numbers, "unix_milliseconds", "UTC").to_pylist() == expected
    with pytest.raises(TimeFormatError):
        to_timestamp(pa.chunked_array([[2**62]], pa.int64()), "unix_seconds", "UTC")


@pytest.mark.parametrize("zone", ["UTC", BERLIN])
@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "",
        "2026-02-30",
        "2026-01-01T25:00:00Z",
        "01.02.2026",
        "1767225600",
        "2026-01-01Z",
    ],
)
def test_anything_else_is_refused(text: str, zone: str) -> None:
    with pytest.raises(TimeFormatError):
        instants("2026-01-01T00:00:00Z", text, zone=zone)


def test_dates() -> None:
    texts = pa.chunked_array([["2026-02-03", None]], pa.string())
    assert to_date(texts).to_pylist() == [date(2026, 2, 3), None]
    for text in ("2026-02-30", "2026-02-03T00:00:00Z", "", "3.2.2026"):
        with pytest.raises(TimeFormatError):
            to_date(pa.chunked_array([[text]], pa.string()))
