"""A load that is killed, interrupted or terminated at each of its phases, and the load after it.

Whenever it happens, the table holds what it held, or the whole answer; the next load makes it
equal to the answer, and nothing of the first is left behind.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.reliability.faulty_load import COMMITTED, POINTS, Fault
from tests.reliability.scenes import AFTER, BEFORE, Scene, as_rows

if TYPE_CHECKING:
    from tests.support.fault_table import Outcomes

NAMES = {"SIGKILL": "kill -9", "SIGTERM": "SIGTERM", "SIGINT": "SIGINT"}
SOME = ("extract", "staging", "merge", "reporting")


@pytest.mark.parametrize("kind", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_signal_at_each_phase(
    make_scene: Callable[..., Scene], outcomes: Outcomes, thorough: bool, kind: str
) -> None:
    points = list(POINTS) if thorough or kind == "SIGKILL" else SOME

    def try_one(point: str) -> str | None:
        scene = make_scene(point)
        code, printed = scene.run(Fault(kind, point))
        if kind == "SIGKILL" and code != -signal.SIGKILL:
            return f"it was not killed, but ended with {code}: {printed}"
        found = scene.table()
        committed = as_rows(AFTER)
        # a signal that dlt waits with may find the load done
        allowed = [committed] if point in COMMITTED or code == 0 else [as_rows(BEFORE)]
        if kind != "SIGKILL" and code:
            allowed.append(committed)
        if found not in allowed:
            return f"the table is neither: {found}"
        if problem := scene.problem_after():
            return problem
        state = "whole answer" if found == committed else "as before"
        outcomes.add(NAMES[kind], point, f"table {state}, next load exact")
        return None

    assert try_all(try_one, points) == {}


def try_all(try_one: Callable[[str], str | None], points: Iterable[str]) -> dict[str, str]:
    """The problems found, by point; two points at a time."""
    with ThreadPoolExecutor(2) as pool:
        points = list(points)
        return {
            point: problem
            for point, problem in zip(points, pool.map(try_one, points), strict=True)
            if problem
        }


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", [True, False], ids=["first load", "later load"])
def test_killed_at_each_statement(
    make_scene: Callable[..., Scene], outcomes: Outcomes, thorough: bool, first: bool
) -> None:
    """Tables being made, schemas being stored, rows being moved: wherever dlt is in its SQL."""
    if not thorough:
        pytest.skip("dozens of loads: choose -m reliability")
    ended = False
    problems = {}
    number = 0
    while not ended:
        number += 2

        def try_one(point: str) -> str | None:
            nonlocal ended
            scene = make_scene(point, first=first)
            code, printed = scene.run(Fault("SIGKILL", point))
            if code == 0:
                ended = True
                return None
            if code != -signal.SIGKILL:
                return f"it was not killed, but ended with {code}: {printed}"
            found = scene.table()
            before = [None, []] if first else [as_rows(BEFORE)]
            if found not in [*before, as_rows(AFTER)]:
                return f"the table is neither: {found}"
            problem = scene.problem_after()
            if problem is None:
                phase = f"each statement of a {'first' if first else 'later'} load"
                outcomes.add("kill -9", phase, "next load exact")
            return problem

        problems |= try_all(try_one, [f"statement {number - 1}", f"statement {number}"])
    assert problems == {}
    assert number > 10
