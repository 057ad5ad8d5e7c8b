"""Runs of a Dagster instance and the failures in them, each read once.

Only reading belongs here; what a failure means for an asset is judged by the callers.
"""

from __future__ import annotations

import dagster as dg

UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    # it loads until it has ended
    dg.DagsterRunStatus.CANCELING,
)
"""The states of a run that is queued or under way."""


def is_running(instance: dg.DagsterInstance, job_name: str) -> bool:
    """Whether a run of the job is queued or under way."""
    unfinished = dg.RunsFilter(job_name=job_name, statuses=list(UNFINISHED))
    return bool(instance.get_run_records(unfinished, limit=1))


_INTERRUPTED = dg.DagsterExecutionInterruptedError.__name__


def step_problem(event: dg.DagsterEvent) -> str:
    """Why a step failed: the text of its Failure, or else of its exception."""
    failure = event.step_failure_data
    description = failure.user_failure_data.description if failure.user_failure_data else None
    if failure.error and failure.error.cls_name == _INTERRUPTED:
        # an exception without a text
        return "The run was interrupted before this was done: run it again."
    return (description or (failure.error.message if failure.error else "failed")).strip()


class Runs:
    """The runs of `instance`, cached: many assets share one."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._records: dict[str, dg.RunRecord | None] = {}
        self._problems: dict[str, dict[str, str]] = {}

    def record(self, run_id: str) -> dg.RunRecord | None:
        """The run, or None if it was deleted."""
        if run_id not in self._records:
            self._records[run_id] = self._instance.get_run_record_by_id(run_id)
        return self._records[run_id]

    def problems(self, run_id: str) -> dict[str, str]:
        """The run's failed steps, by step key, and why each failed."""
        if run_id not in self._problems:
            failures = self._instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
            self._problems[run_id] = {
                str(entry.step_key): step_problem(entry.dagster_event)
                for entry in failures
                if entry.dagster_event
            }
        return self._problems[run_id]
