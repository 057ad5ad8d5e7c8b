"""dlt's merge with statements of ours in the same transaction.

dlt has no setting for it; what it lets others replace is the job that executes a file of SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dlt.destinations.job_client_impl import SqlLoadJob


class _MergeJob(SqlLoadJob):
    def __init__(self, file_path: str, statements: Sequence[str]) -> None:
        super().__init__(file_path)
        self._statements = statements

    def run_managed(self, job_client: Any, *given: Any, **named: Any) -> None:
        self._client = job_client
        super().run_managed(job_client, *given, **named)

    @contextmanager
    def maybe_transaction(self, sql: str) -> Iterator[None]:
        with super().maybe_transaction(sql):
            for statement in self._statements:
                self._client.sql_client.execute_sql(statement)
            yield


def with_statements(base: Any, statements: Sequence[str]) -> Any:
    """The client class `base` of a dlt destination; its merges begin with `statements`."""
    if not statements:
        return base

    class Client(base):  # type: ignore[misc]
        def create_load_job(
            self, table: Any, file_path: str, load_id: str, restore: bool = False
        ) -> Any:
            if SqlLoadJob.is_sql_job(file_path):
                return _MergeJob(file_path, statements)
            return super().create_load_job(table, file_path, load_id, restore)

    return Client
