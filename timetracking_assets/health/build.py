"""From an instance, definitions and a warehouse to a report: the one way that all forms share."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from timetracking_assets.health.event_log import read_facts
from timetracking_assets.health.judgement import build_report
from timetracking_assets.health.model import Report
from timetracking_assets.health.next_runs import next_runs
from timetracking_assets.health.page import HoursPart, render_page
from timetracking_assets.health.tables import read_tables
from timetracking_assets.health.watched import watched_assets
from timetracking_assets.orchestration.hours.age import model_age
from timetracking_assets.warehouse.base import Warehouse
from timetracking_assets.warehouse.private_files import private_files

PATIENCE = 20.0
"""Seconds to wait for a warehouse that a load holds; then the report goes without its tables."""


@dataclass(frozen=True)
class HealthReport:
    """The report and the hours, ready to be shown."""

    report: Report
    hours: HoursPart = HoursPart()  # noqa: RUF009 - it can't be changed

    def page(self, ui_url: str, refresh: int | None = None) -> str:
        """The page; see `render_page`."""
        return render_page(self.report, self.hours, ui_url, refresh)


def read_health(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    warehouse: Warehouse | None,
    holder: str = "the health report",
) -> HealthReport:
    """Judge what has happened up to now. Without a warehouse its tables are not looked at."""
    now = datetime.now(UTC)
    assets = watched_assets(definitions)
    facts = read_facts(instance, assets, now)
    upcoming = next_runs(definitions, instance, now)
    if warehouse is None:
        return HealthReport(build_report(assets, facts, {}, now, upcoming=upcoming))
    patient = replace(warehouse, lock_timeout=min(PATIENCE, warehouse.lock_timeout))
    tables = read_tables(patient, assets, holder)
    report = build_report(assets, facts, tables.rows, now, tables.notes, upcoming)
    age = model_age(instance, definitions.resolve_all_asset_specs())
    return HealthReport(report, HoursPart(tables.hours, age, tables.hours_problem))


def write_page(path: Path, page: str) -> None:
    """Put the page in place at once, so that nobody reads half of it. Raises OSError.

    It tells who worked how much: a new one is for its user alone, an old one's mode stays.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with private_files():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(page, encoding="utf-8")
        if path.exists():
            unfinished.chmod(path.stat().st_mode)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
