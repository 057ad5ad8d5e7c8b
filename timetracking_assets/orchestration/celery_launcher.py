"""The run launcher of a cluster of Celery workers, for `run_launcher` in `dagster.yaml`.

Only what dagster-celery's own launcher lacks belongs here: it takes a task for running as long as
the broker says so, which a worker that was killed never corrects, and a cancelled run for a failed
one. Needs the extra `cluster`.
"""

from __future__ import annotations

import time

import dagster as dg
from celery import states
from celery.result import AsyncResult
from dagster_celery.launcher import CeleryRunLauncher, CheckRunHealthResult, WorkerStatus
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

_ATTEMPTS = 3
_SECONDS_TO_ANSWER = 3.0
_SECONDS_BETWEEN = 2.0


class WatchingCeleryRunLauncher(CeleryRunLauncher):
    """Celery's launcher, which asks the worker itself whether it still has a run's task, and
    reports that a run is cancelled."""

    def terminate(self, run_id: str) -> bool:
        """Cancel a run, and say so: else it would count as failed, and be run again."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        return bool(super().terminate(run_id))

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether a worker has the run: FAILED if none answered for it three times in a row.

        Raises the broker's error if that can't be reached: nothing is known about the run then.
        """
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is None:
            # written when the broker has the task: either just now, or the daemon ended between
            return CheckRunHealthResult(WorkerStatus.UNKNOWN, "the run has no Celery task")
        result: AsyncResult = self.celery.AsyncResult(task_id)
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_SECONDS_BETWEEN)
            if result.state not in (states.STARTED, states.PENDING):
                return super().check_run_worker_health(run)
            if self._is_held(result):
                return CheckRunHealthResult(WorkerStatus.RUNNING)
        # if it runs after all, on a worker that is cut off, it ends as soon as that is back
        result.revoke(terminate=True)
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"No Celery worker has the task {task_id}: its worker was lost."
        )

    def _is_held(self, result: AsyncResult) -> bool:
        """Whether a worker answers that it has the task."""
        started = result.info if isinstance(result.info, dict) else {}
        # without the worker's name (a broker that has forgotten the task) all are asked, which
        # takes the whole time
        workers = [started["hostname"]] if started.get("hostname") else None
        inspect = self.celery.control.inspect(destination=workers, timeout=_SECONDS_TO_ANSWER)
        answers = inspect.query_task(result.task_id) or {}
        return any(tasks for tasks in answers.values())
