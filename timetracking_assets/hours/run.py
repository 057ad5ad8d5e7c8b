"""One build of the model: tables, their checks, and the tables that wait for these.

All of it is one transaction. A blocking check that fails leaves what it keeps back as it was; the
tables that it is about are written, so that one can see what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from timetracking_assets.hours.build import TableReport, build_table, loaded_types, prepare
from timetracking_assets.hours.checks.check import Check, Context, Finding, Memory
from timetracking_assets.hours.checks.declared import checks_of
from timetracking_assets.hours.checks.references import LINKS
from timetracking_assets.hours.fingerprints import Contents
from timetracking_assets.hours.last_build import LastBuild
from timetracking_assets.hours.model import HoursModel
from timetracking_assets.hours.tables import MARTS, SCHEMA, TABLES
from timetracking_assets.warehouse.base import OpenWarehouse


@dataclass
class ModelReport:
    """What a build came to: tables that were built, findings of checks by table and name, and the
    tables that were kept back with the blocking checks that did so."""

    tables: dict[str, TableReport] = field(default_factory=dict)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    kept_back: dict[str, list[str]] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return any(report.changed for report in self.tables.values())


def run_model(
    opened: OpenWarehouse,
    model: HoursModel,
    tables: Collection[str],
    checks: Collection[tuple[str, str]] = (),
    loaded: Collection[tuple[str, str]] = (),
) -> ModelReport:
    """Build `tables` and evaluate `checks` (table and name); blocking ones of what is built always.

    What these read and isn't there yet is built, too. `loaded`: the raw tables that have ever been
    loaded.
    """
    report = ModelReport()
    with opened.transaction():
        prepare(opened)
        tables = _with_missing(opened, tables)
        last, contents = LastBuild(opened), Contents(opened)
        context = Context(opened, model, loaded_types(opened), loaded, Memory(last, contents))

        def build(name: str) -> None:
            report.tables[name] = build_table(opened, model, name, context.types, last, contents)

        known = checks_of(model)
        base = [name for name in TABLES if name in tables and name not in MARTS]
        marts = [name for name in TABLES if name in tables and name in MARTS]
        for name in base:
            build(name)
        built = [check for check in known if check.table in base]
        _ask(report, context, [c for c in built if c.blocking or (c.table, c.name) in checks])
        wrong = {c.table for c in built if c.blocking and report.findings[c.table, c.name].count}
        for name in marts:
            because = sorted(wrong & _all_reads(name))
            if because:
                report.kept_back[name] = because
                continue
            build(name)
        rest = [c for c in known if (c.table, c.name) in checks and c.table not in base]
        _ask(report, context, [c for c in rest if c.table not in report.kept_back])
        last.save()
    return report


def _ask(report: ModelReport, context: Context, checks: Collection[Check]) -> None:
    for check in checks:
        finding = Finding(1, f"There is no table {SCHEMA}.{check.table} yet: materialize it first.")
        if context.opened.column_types(SCHEMA, check.table):
            finding = check.ask(context)
        report.findings[check.table, check.name] = finding


def _with_missing(opened: OpenWarehouse, tables: Collection[str]) -> set[str]:
    """`tables`, and as far as the warehouse lacks them those that they, or their checks, read."""
    read = set(tables).union(*(_all_reads(name) for name in tables))
    for name in list(read):
        read.update(LINKS.get(name, {}).values())
    return {name for name in read if name in tables or not opened.column_types(SCHEMA, name)}


def _all_reads(table: str) -> set[str]:
    reads = set(TABLES[table].reads)
    return reads.union(*(_all_reads(name) for name in reads))
