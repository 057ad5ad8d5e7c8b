"""The code location with an instance and a warehouse: it runs assets, and reads the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg

from tests.support import throwaway_postgres
from tests.support.warehouses import ask, columns
from timetracking_assets.orchestration.partitions import range_tags

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Outcome:
    """What one run did, by the user string of the asset's key (`api/resource`)."""

    succeeded: bool
    run_id: str
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    checks: dict[str, dict[str, dg.AssetCheckEvaluation]] = field(default_factory=dict)
    retried: set[str] = field(default_factory=set)
    printed: str = ""

    @property
    def green(self) -> bool:
        """Everything succeeded, and no check of what was loaded failed: warnings are about what the
        data says, and tests load rows that nobody would track."""
        results = [
            check.passed or check.severity == dg.AssetCheckSeverity.WARN
            for checks in self.checks.values()
            for check in checks.values()
            # a load of an old partition can't make the newest be there
            if check.check_name != "newest_partition_loaded"
        ]
        return self.succeeded and bool(results) and all(results)


@dataclass
class Platform:
    """The code location with an instance and a warehouse, as a run of Dagster's sees them."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    home: Path
    warehouse: Path

    def materialize(
        self,
        *keys: str,
        partition: str | None = None,
        days: tuple[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        loud: bool = False,
    ) -> Outcome:
        """Run the assets `keys` with their checks; `days` are the first and the last of a range."""
        tags = {}
        if days:
            tags = range_tags(days)
        job = self.definitions.resolve_implicit_global_asset_job_def()
        return self._run(
            job,
            loud=loud,
            asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
            partition_key=partition,
            tags=tags,
            run_config={**({} if loud else QUIET), **(config or {})},
        )

    def check(self, *keys: str, names: Sequence[str] = ()) -> Outcome:
        """Run the checks of the assets `keys` (those in `names`, or all), and nothing else."""
        wanted = {dg.AssetKey.from_user_string(key) for key in keys}
        job = self.definitions.resolve_implicit_global_asset_job_def()
        checks = frozenset(
            check
            for check in job.asset_layer.asset_graph.asset_check_keys
            if check.asset_key in wanted and (not names or check.name in names)
        )
        subset = job.get_subset(asset_selection=frozenset(), asset_check_selection=checks)
        return self._run(subset, loud=False, run_config=QUIET)

    def _run(self, job: dg.JobDefinition, *, loud: bool, **arguments: Any) -> Outcome:
        printed = StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            result = job.execute_in_process(
                instance=self.instance, raise_on_error=False, **arguments
            )
        outcome = Outcome(result.success, result.run_id, printed=printed.getvalue())
        for event in result.all_events:
            key = (event.step_key or "").replace("__", "/", 1)
            if event.is_step_materialization:
                recorded = event.step_materialization_data.materialization.metadata
                outcome.metadata[key] = {name: value.value for name, value in recorded.items()}
            elif event.is_step_failure:
                outcome.failures[key] = _message(event.step_failure_data)
            elif event.is_step_up_for_retry:
                outcome.retried.add(key)
        for check in result.get_asset_check_evaluations():
            checks = outcome.checks.setdefault(check.asset_key.to_user_string(), {})
            checks[check.check_name] = check
        return outcome

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a query gives, in the warehouse; it may write, too."""
        return ask(self.warehouse, query, parameters)

    def tables(self) -> set[str]:
        """The names (`schema.table`) of the tables that hold resources."""
        if not (throwaway_postgres.available() or self.warehouse.exists()):
            return set()
        rows = self.sql("SELECT table_schema || '.' || table_name FROM information_schema.tables")
        hidden = ("pg_catalog.", "information_schema.")
        return {
            name
            for (name,) in rows
            if "._" not in name and "_staging." not in name and not name.startswith(hidden)
        }

    def columns(self, table: str) -> list[str]:
        """The columns of `schema.table`, in order."""
        return columns(table, self.sql)

    def keys(self, table: str, key: str = "id") -> list[Any]:
        """The keys in a table, in order, as often as they stand there."""
        return [row[0] for row in self.sql(f"SELECT {key} FROM {table} ORDER BY 1")]


OfApi = Callable[..., Platform]
"""A platform with one API alone, its resources changed as a test needs it."""


def _message(failure: Any) -> str:
    told = failure.user_failure_data.description if failure.user_failure_data else None
    return str(told or (failure.error.message if failure.error else ""))
