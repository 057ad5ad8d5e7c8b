"""Data-quality checks: is what was loaded plausible? One step for all of an API's.

They are few, read counts only, and are judged by the thresholds under `checks` in `defs.yaml`. In a
run that loads, they wait until all of the run's tables of the API are loaded, so that references
between these are judged once both sides exist, and judge the window that was loaded; run alone,
they judge whole tables. The counts are in `quality_counts.py`; whether a table is a faithful copy
is checked in `load_checks.py`.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from timetracking_assets.hours.mapping import Mapped
from timetracking_assets.ingest.windows import Window
from timetracking_assets.orchestration.asset_specs import asset_key
from timetracking_assets.orchestration.check_history import check_history
from timetracking_assets.orchestration.checks import quality_counts
from timetracking_assets.orchestration.partitions import tagged_window
from timetracking_assets.orchestration.resources import WAREHOUSE
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.spec.quality import CheckSpec
from timetracking_assets.warehouse.base import OpenWarehouse, Warehouse


def ignore_own_warnings() -> None:
    """Hide Dagster's warning of a parameter that it sets itself when it binds resources to checks.

    It lasts where nothing restores the filters of warnings later, as Dagster does when it imports
    this module while it loads a component.
    """
    warnings.filterwarnings("ignore", "Parameter `execution_type`", dg.BetaWarning)


ignore_own_warnings()


def declared_checks(resource: Resource) -> dict[str, tuple[CheckSpec, str]]:
    """The checks that apply to the resource: name -> settings, description."""
    checks = resource.checks
    declared: dict[str, tuple[CheckSpec, str]] = {}
    if checks.volume and resource.partitions and resource.partitions.type == "daily":
        declared[VOLUME] = (
            checks.volume,
            f"Each day holds {checks.volume.min_share:.0%} to {checks.volume.max_share:.0%} of the "
            f"rows usual for its weekday (median of {checks.volume.weeks} weeks).",
        )
    if checks.nulls and checks.nulls.columns:
        limits = ", ".join(f"{name} (at most {m:.0%})" for name, m in checks.nulls.columns.items())
        declared[NULLS] = (checks.nulls, f"Few rows lack a value in {limits}.")
    if checks.references and resource.references:
        targets = ", ".join(f"{name} in {r.resource}" for name, r in resource.references.items())
        declared[REFERENCES] = (
            checks.references,
            f"Each value exists in the table that it refers to: {targets}.",
        )
    if checks.durations and resource.unified and resource.unified.time_entries:
        declared[DURATIONS] = (
            checks.durations,
            f"No row has a negative duration or more than {checks.durations.max_hours:g} hours.",
        )
    if checks.schema_changes:
        declared[SCHEMA] = (
            checks.schema_changes,
            "The table has the same columns and types as at the last check.",
        )
    return declared


def build_quality_checks(api: Api) -> list[dg.AssetChecksDefinition]:
    """The one definition that holds all data-quality checks of `api`; empty if it has none."""
    specs = [
        dg.AssetCheckSpec(name, asset=asset_key(resource), description=description)
        for resource in api.resources.values()
        for name, (_, description) in declared_checks(resource).items()
    ]
    if not specs:
        return []

    @dg.multi_asset_check(
        name=f"{api.name}__quality_checks",
        specs=specs,
        can_subset=True,
        required_resource_keys={WAREHOUSE},
    )
    def quality_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse: Warehouse = getattr(context.resources, WAREHOUSE).open_for(context.instance)
        selected = context.selected_asset_check_keys
        instance = context.instance
        results = []
        holder = f"run {context.run.run_id}, checks of {api.name}"
        with warehouse.exclusive(holder, dataset=api.name) as opened:
            for resource in api.resources.values():
                window = tagged_window(context.run.tags, resource)
                for name, (settings, _) in declared_checks(resource).items():
                    key = dg.AssetCheckKey(asset_key(resource), name)
                    if key in selected:
                        judge = Judge(
                            opened, api, resource, window, lambda k: _last_columns(instance, k)
                        )
                        results.append(judge.result(key, settings))
        yield from results

    return [quality_checks]


def _last_columns(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dict[str, str] | None:
    """The columns when the check was last evaluated."""
    for record in check_history(instance, key, limit=5):
        # this run's evaluation is only planned yet
        if record.result is not None:
            seen = record.result.metadata.get("column_types")
            if seen is not None and isinstance(seen.value, Mapping):
                return {name: str(kind) for name, kind in seen.value.items()}
    return None


VOLUME = "volume_as_usual"
NULLS = "important_columns_filled"
REFERENCES = "references_resolve"
DURATIONS = "durations_plausible"
SCHEMA = "schema_unchanged"

Verdict = tuple[bool, str, dict[str, Any]]
"""Passed or not, a description, and metadata whose numbers Dagster plots."""
LastColumns = Callable[[dg.AssetCheckKey], dict[str, str] | None]
"""The columns (name -> type) at the last evaluation of a check, if there was one."""


class Judge:
    """Answers the checks of one resource, for the rows of `window` or for all."""

    def __init__(
        self,
        warehouse: OpenWarehouse,
        api: Api,
        resource: Resource,
        window: Window | None,
        last_columns: LastColumns,
    ) -> None:
        self._warehouse, self._api, self._resource = warehouse, api, resource
        self._window, self._last_columns = window, last_columns
        self._types = warehouse.column_types(resource.api, resource.name)

    def result(self, key: dg.AssetCheckKey, settings: CheckSpec) -> dg.AssetCheckResult:
        """The result of one check; one that can't be evaluated fails and says why."""
        questions: dict[str, Callable[[], Verdict]] = {
            VOLUME: self._volume,
            NULLS: self._nulls,
            REFERENCES: self._references,
            DURATIONS: self._durations,
            SCHEMA: lambda: self._schema(key),
        }
        table = f"{self._resource.api}.{self._resource.name}"
        if not self._types:
            verdict: Verdict = (
                False,
                f"The table {table} does not exist yet: materialize it first.",
                {},
            )
        else:
            verdict = questions[key.name]()
        passed, description, metadata = verdict
        severity = settings.severity.upper()
        return dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=passed,
            severity=dg.AssetCheckSeverity[severity],
            description=description,
            metadata={**metadata, "window": str(self._window or "whole table")},
        )

    def _volume(self) -> Verdict:
        settings, partitions = self._resource.checks.volume, self._resource.partitions
        assert settings is not None
        assert partitions is not None
        # run alone, it judges the last week: older days were judged when they were loaded
        today = datetime.now(UTC).date()
        week = Window.of_days(today - timedelta(days=7), today, partitions.timezone)
        volumes = quality_counts.day_volumes(
            self._warehouse, self._resource, self._window or week, settings.weeks
        )
        judged = [(v, v.usual) for v in volumes if v.usual and v.usual >= settings.min_rows]
        unusual = [
            (volume, usual)
            for volume, usual in judged
            if not settings.min_share <= volume.rows / usual <= settings.max_share
        ]
        metadata: dict[str, Any] = {"days_judged": len(judged), "days_unusual": len(unusual)}
        if volumes:
            metadata["rows"] = volumes[-1].rows
        if judged:
            # the last day that can be judged is the one to plot
            volume, usual = judged[-1]
            metadata["rows_usual"] = usual
            metadata["share_of_usual"] = round(volume.rows / usual, 3)
        details = [f"{v.day}: {v.rows} rows, usually {usual:g}" for v, usual in unusual[:5]]
        if not judged:
            details = [
                "Not judged: fewer than 3 earlier weeks, or fewer than "
                f"{settings.min_rows} rows, on the same weekday."
            ]
        return not unusual, "; ".join(details) or "As usual.", metadata

    def _nulls(self) -> Verdict:
        settings = self._resource.checks.nulls
        assert settings is not None
        existing = [name for name in settings.columns if name in self._types]
        rows, shares = (
            quality_counts.null_shares(self._warehouse, self._resource, existing, self._window)
            if existing
            else (0, {})
        )
        bad = {n: s for n, s in shares.items() if s > settings.columns[n]}
        details = [f"{name}: {share:.1%} without a value" for name, share in bad.items()]
        details += [f"{name}: no such column" for name in settings.columns if name not in existing]
        metadata = {f"null_share_{name}": round(share, 4) for name, share in shares.items()}
        return (
            not details,
            "; ".join(details) or "All columns are filled.",
            {"rows": rows, **metadata},
        )

    def _references(self) -> Verdict:
        settings, bad, unjudged = self._resource.checks.references, [], []
        assert settings is not None
        metadata: dict[str, Any] = {}
        for name, reference in self._resource.references.items():
            if name not in self._types:
                unjudged.append(f"{name}: no such column")
                continue
            target = self._api.resources[reference.resource]
            counts = quality_counts.dangling(
                self._warehouse, self._resource, name, target, self._window
            )
            if not counts.target_exists:
                unjudged.append(f"{name}: {target.name} is not loaded yet")
                continue
            metadata[f"dangling_{name}"] = counts.dangling
            if counts.dangling > settings.max_share * counts.rows:
                metadata[f"sample_{name}"] = dg.MetadataValue.json(list(counts.sample))
                bad.append(
                    f"{name}: {counts.dangling} of {counts.rows} values do not exist in "
                    f"{counts.target}"
                )
        details = bad + [f"not judged: {text}" for text in unjudged]
        return not bad, "; ".join(details) or "All values exist.", metadata

    def _durations(self) -> Verdict:
        settings, unified = self._resource.checks.durations, self._resource.unified
        assert settings is not None
        assert unified is not None
        assert unified.time_entries is not None
        entries = Mapped(self._api, self._resource, "time_entries", unified.time_entries)
        counts = quality_counts.durations(
            self._warehouse, entries, settings.max_hours, self._window
        )
        details = []
        if counts.negative:
            details.append(f"{counts.negative} rows have a negative duration")
        if counts.too_long:
            details.append(f"{counts.too_long} rows have more than {settings.max_hours:g} hours")
        metadata = {
            "rows": counts.rows,
            "negative": counts.negative,
            "too_long": counts.too_long,
            "longest_hours": round(counts.longest_hours, 2),
        }
        return not details, "; ".join(details) or "All durations are plausible.", metadata

    def _schema(self, key: dg.AssetCheckKey) -> Verdict:
        now = {name: kind for name, kind in self._types.items() if not name.startswith("_dlt_")}
        metadata = {"columns": len(now), "column_types": dg.MetadataValue.json(now)}
        before = self._last_columns(key)
        if before is None:
            return True, "Nothing to compare with yet: this is the first evaluation.", metadata
        details = [f"new: {name} ({now[name]})" for name in now if name not in before]
        details += [f"removed: {name} ({before[name]})" for name in before if name not in now]
        details += [
            f"{name}: was {before[name]}, is {now[name]}"
            for name in now
            if name in before and before[name] != now[name]
        ]
        return (
            not details,
            "; ".join(details) or "Unchanged.",
            {**metadata, "changes": len(details)},
        )
