"""Several iterators side by side: everything comes, errors too, and no thread is left."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from timetracking_assets.ingest.pages.parallel import side_by_side


def counting(name: str, length: int) -> Iterator[tuple[str, int]]:
    for number in range(length):
        yield name, number


def failing() -> Iterator[tuple[str, int]]:
    yield "f", 0
    raise ValueError("broken")


@pytest.mark.parametrize("ahead", [1, 3, 100])
@pytest.mark.parametrize("lengths", [[], [0], [5], [7, 0, 30]])
def test_all_items_come_each_lane_in_its_order(lengths: list[int], ahead: int) -> None:
    lanes = [counting(str(lane), length) for lane, length in enumerate(lengths)]
    found = list(side_by_side(lanes, ahead))
    for lane, length in enumerate(lengths):
        assert [number for name, number in found if name == str(lane)] == list(range(length))
    assert len(found) == sum(lengths)


def test_lanes_run_at_the_same_time() -> None:
    """Each waits for the other: one after the other they would wait for ever."""
    both = threading.Barrier(2, timeout=10)

    def lane() -> Iterator[int]:
        both.wait()
        yield 1

    assert list(side_by_side([lane(), lane()], 1)) == [1, 1]


def test_an_error_of_a_lane_ends_all() -> None:
    before = threading.active_count()
    with pytest.raises(ValueError, match="broken"):
        list(side_by_side([failing(), counting("endless", 10**9)], 2))
    assert threading.active_count() == before


def test_nothing_runs_on_after_closing() -> None:
    before = threading.active_count()
    with closing(side_by_side([counting("a", 10**9), counting("b", 10**9)], 2)) as pages:
        next(pages)
    assert threading.active_count() == before
