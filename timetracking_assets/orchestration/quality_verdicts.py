"""How the data-quality checks judge what was counted: passed or not, in words and in numbers.

Counting is in `ingest/quality.py`; which checks there are, and when they run, in
`quality_checks.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from timetracking_assets.ingest import quality
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Api, Resource
from timetracking_assets.spec.quality import CheckSpec
from timetracking_assets.warehouse.base import OpenWarehouse

VOLUME = "volume_as_usual"
NULLS = "important_columns_filled"
REFERENCES = "references_resolve"
DURATIONS = "durations_plausible"
SCHEMA = "schema_unchanged"

Verdict = tuple[bool, str, dict[str, Any]]
"""Passed or not, in words, and metadata whose numbers Dagster plots."""
LastColumns = Callable[[dg.AssetCheckKey], dict[str, str] | None]
"""The columns (name -> type) that a check saw last, if it ever did."""


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
        """The result of one check; one that can't be answered fails and says why."""
        questions: dict[str, Callable[[], Verdict]] = {
            VOLUME: self._volume,
            NULLS: self._nulls,
            REFERENCES: self._references,
            DURATIONS: self._durations,
            SCHEMA: lambda: self._schema(key),
        }
        table = f"{self._resource.api}.{self._resource.name}"
        if not self._types:
            verdict: Verdict = (False, f"There is no table {table} yet: materialize it first.", {})
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
        # alone, it judges the last week: the days before were judged when they were loaded
        today = datetime.now(UTC).date()
        week = Window.of_days(today - timedelta(days=7), today, partitions.timezone)
        volumes = quality.day_volumes(
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
        told = [f"{v.day}: {v.rows} rows where {usual:g} are usual" for v, usual in unusual[:5]]
        if not judged:
            told = [
                "Not judged: fewer than 3 earlier weeks, or fewer than "
                f"{settings.min_rows} rows, on the same weekday."
            ]
        return not unusual, "; ".join(told) or "As usual.", metadata

    def _nulls(self) -> Verdict:
        settings = self._resource.checks.nulls
        assert settings is not None
        standing = [name for name in settings.columns if name in self._types]
        rows, shares = (
            quality.null_shares(self._warehouse, self._resource, standing, self._window)
            if standing
            else (0, {})
        )
        bad = {n: s for n, s in shares.items() if s > settings.columns[n]}
        told = [f"{name}: {share:.1%} without a value" for name, share in bad.items()]
        told += [f"{name}: no such column" for name in settings.columns if name not in standing]
        metadata = {f"null_share_{name}": round(share, 4) for name, share in shares.items()}
        return not told, "; ".join(told) or "All filled.", {"rows": rows, **metadata}

    def _references(self) -> Verdict:
        settings, bad, unjudged = self._resource.checks.references, [], []
        assert settings is not None
        metadata: dict[str, Any] = {}
        for name, reference in self._resource.references.items():
            if name not in self._types:
                unjudged.append(f"{name}: no such column")
                continue
            target = self._api.resources[reference.resource]
            found = quality.dangling(self._warehouse, self._resource, name, target, self._window)
            if not found.target_stands:
                unjudged.append(f"{name}: {target.name} is not loaded yet")
                continue
            metadata[f"dangling_{name}"] = found.dangling
            if found.dangling > settings.max_share * found.rows:
                metadata[f"sample_{name}"] = dg.MetadataValue.json(list(found.sample))
                bad.append(f"{name}: {found.dangling} of {found.rows} not found in {found.target}")
        told = bad + [f"not judged: {text}" for text in unjudged]
        return not bad, "; ".join(told) or "All found.", metadata

    def _durations(self) -> Verdict:
        settings, hours = self._resource.checks.durations, self._resource.hours
        assert settings is not None
        assert hours is not None
        found = quality.durations(
            self._warehouse, self._resource, hours, settings.max_hours, self._window
        )
        told = []
        if found.negative:
            told.append(f"{found.negative} rows last less than nothing")
        if found.too_long:
            told.append(f"{found.too_long} rows last more than {settings.max_hours:g} hours")
        metadata = {
            "rows": found.rows,
            "negative": found.negative,
            "too_long": found.too_long,
            "longest_hours": round(found.longest_hours, 2),
        }
        return not told, "; ".join(told) or "All plausible.", metadata

    def _schema(self, key: dg.AssetCheckKey) -> Verdict:
        now = {name: kind for name, kind in self._types.items() if not name.startswith("_dlt_")}
        metadata = {"columns": len(now), "column_types": dg.MetadataValue.json(now)}
        before = self._last_columns(key)
        if before is None:
            return True, "The first look: nothing to compare with.", metadata
        told = [f"new: {name} ({now[name]})" for name in now if name not in before]
        told += [f"gone: {name} ({before[name]})" for name in before if name not in now]
        told += [
            f"{name}: was {before[name]}, is {now[name]}"
            for name in now
            if name in before and before[name] != now[name]
        ]
        return not told, "; ".join(told) or "Unchanged.", {**metadata, "changes": len(told)}
