"""dlt's merge with what one load adds to it: the rows that it replaces, and statements of ours in
the same transaction.

For the rows dlt has a hint of the schema, which would make each window a version of the schema.
For the statements it has no setting; what it lets others replace is the job that executes a file
of SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dlt.common.schema.typing import MERGE_DISPOSITION_HINTS
from dlt.destinations.job_client_impl import SqlLoadJob

from timetracking_assets.warehouse.base import MergeSql

_SCOPE = MERGE_DISPOSITION_HINTS["destination_scope"]


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


def with_merge(base: Any, merge: MergeSql | None) -> Any:
    """The client class `base` of a dlt destination; its merges have what `merge` adds."""
    if merge is None:
        return base
    scope, first = merge.scope, merge.first

    class Client(base):  # type: ignore[misc]
        def prepare_load_table(self, table_name: str) -> Any:
            table = super().prepare_load_table(table_name)
            # whatever the stored schema holds: that of an older release has its last load's
            table.pop(_SCOPE, None)
            if scope and table["write_disposition"] == "merge":
                table[_SCOPE] = scope
            return table

        def create_load_job(
            self, table: Any, file_path: str, load_id: str, restore: bool = False
        ) -> Any:
            if first and SqlLoadJob.is_sql_job(file_path):
                return _MergeJob(file_path, first)
            return super().create_load_job(table, file_path, load_id, restore)

    return Client
