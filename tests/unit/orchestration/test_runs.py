"""Why a step failed, in words."""

from __future__ import annotations

import dagster as dg
import pytest

from timetracking_assets.orchestration.runs import step_problem


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (dg.Failure("no rights: ask for them"), "no rights: ask for them"),
        (
            dg.DagsterExecutionInterruptedError(),
            "The run was interrupted before this was done: run it again.",
        ),
    ],
)
def test_why_a_step_failed(error: BaseException, problem: str) -> None:
    @dg.op
    def fails() -> None:
        raise error

    @dg.job
    def job() -> None:
        fails()

    result = job.execute_in_process(raise_on_error=False)
    [event] = [event for event in result.all_events if event.is_step_failure]
    assert step_problem(event) == problem
