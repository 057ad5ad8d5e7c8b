"""Which requests a fault hits, and which faults are refused."""

from typing import Any

import msgspec
import pytest

from timetracking_assets.sandbox.faults import Fault, Faults

PEOPLE = ("resource_management", "/resource_management/v3/people", "page=2&per-page=200")


def hit(faults: Faults, count: int) -> list[bool]:
    return [faults.next_for(*PEOPLE) is not None for _ in range(count)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"api": "resource_management"}, True),
        ({"api": "time_tracking"}, False),
        ({"path": "/people$"}, True),
        ({"path": "^/people"}, False),
        ({"query": r"\bpage=2\b"}, True),
        ({"query": "page=3"}, False),
        ({"api": "resource_management", "path": "/people$", "query": "page=3"}, False),
    ],
)
def test_api_path_and_query_must_all_match(fields: dict[str, Any], expected: bool) -> None:
    assert Fault(kind="slow", **fields).hits(*PEOPLE) is expected


def test_a_fault_spares_the_first_and_ends_after_its_times() -> None:
    faults = Faults()
    faults.place(Fault(kind="slow", after=1, times=2))
    assert hit(faults, 5) == [False, True, True, False, False]
    (placed,) = faults.placed
    assert (placed.seen, placed.applied) == (5, 2)


def test_a_fault_without_times_lasts() -> None:
    faults = Faults()
    faults.place(Fault(kind="slow"))
    assert all(hit(faults, 20))


def test_the_first_fault_that_is_not_spent_wins() -> None:
    faults = Faults()
    faults.place(Fault(kind="slow", times=1))
    faults.place(Fault(kind="cut", times=1))
    kinds = [fault.kind if (fault := faults.next_for(*PEOPLE)) else None for _ in range(3)]
    assert kinds == ["slow", "cut", None]


def test_requests_that_do_not_match_are_not_counted() -> None:
    faults = Faults()
    faults.place(Fault(kind="slow", path="/roles$", after=1))
    assert hit(faults, 2) == [False, False]
    assert faults.placed[0].seen == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "explode"}, "Invalid enum value 'explode'"),
        ({"kind": "slow", "second": 1}, "unknown field `second`"),
        ({"kind": "slow", "api": "people"}, "no API 'people'"),
        ({"kind": "edit", "api": "time_tracking"}, "'edit' needs an 'api' and its 'resource'"),
        (
            {"kind": "edit", "api": "time_tracking", "resource": "people"},
            "no resource 'people' in 'time_tracking'",
        ),
        (
            {
                "kind": "edit",
                "api": "resource_management",
                "resource": "people",
                "upsert": [{"name": "Ada"}],
            },
            "each row of 'upsert' needs its key 'id'",
        ),
        ({"kind": "slow", "path": "("}, "'path' is not a regular expression"),
        ({"kind": "slow", "query": "["}, "'query' is not a regular expression"),
        ({"kind": "status"}, "needs a 'status'"),
        ({"kind": "status", "status": 99}, "from 200 to 599"),
        ({"kind": "status", "status": 204, "body": "{}"}, "cannot have a 'body'"),
        ({"kind": "redirect", "headers": {"X": "1"}}, "needs a 'Location'"),
        ({"kind": "cap"}, "needs a number of 'rows', 1 or more"),
        ({"kind": "local_days", "timezone": "Europe/Atlantis"}, "needs a 'timezone'"),
        ({"kind": "link", "scheme": "ftp"}, "Invalid enum value 'ftp'"),
        ({"kind": "slow", "seconds": -1}, "must not be negative"),
        ({"kind": "slow", "times": -1}, "must not be negative"),
        ({"kind": "slow", "after": -1}, "must not be negative"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.json.decode(msgspec.json.encode(fields), type=Fault)
    assert message in str(refusal.value)
