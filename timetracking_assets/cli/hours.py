"""The command `timetracking hours`: the sums of the model of hours as a table or CSV.

Only options and output belong here; what is read is in `hours/report.py`.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from timetracking_assets.cli.workspace import stop, workspace_or_stop
from timetracking_assets.errors import IngestError

if TYPE_CHECKING:
    import dagster as dg

    from timetracking_assets.hours.report import Line

_NO_MODEL = (
    "the project has no model of hours. Add one: `defs/hours/defs.yaml` with "
    "`type: timetracking_assets.HoursModel`, and `unified` in the files of its APIs; "
    "`timetracking docs hours` shows both."
)
_Text = Annotated[str, typer.Option(help="Part of a name or key.")]


def hours(
    by: Annotated[
        Literal["week", "person", "project", "client", "source"],
        typer.Option(help="What a line is of."),
    ] = "person",
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")
    ] = None,
    person: _Text = "",
    project: _Text = "",
    client: _Text = "",
    source: _Text = "",
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, in seconds, instead of a table.")
    ] = False,
) -> None:
    """Show planned, absent, available, worked and billable hours, and missing timesheets.

    Projects, clients and sources have worked and billable hours only, known by week.
    """
    workspace = workspace_or_stop()
    os.environ.update({**workspace.sandbox_starts(), **workspace.environment})
    from timetracking_assets.cli.code_location import LoadError, load_definitions, warehouse_of
    from timetracking_assets.hours.report import Selection, is_built, read_lines

    start, end = (day.date() if day else None for day in (first, last))
    chosen = Selection(start, end, person, project, client, source)
    problem = ""
    try:
        definitions = load_definitions(workspace)
        with warehouse_of(definitions).reading("timetracking hours") as opened:
            # tables of another project's model may be in the same warehouse
            if not is_built(opened) and not has_model(definitions):
                raise IngestError(_NO_MODEL)
            lines = read_lines(opened, by, chosen)
    except (IngestError, LoadError) as error:
        problem = str(error)
    if problem:
        stop(problem)
    if as_csv:
        write_csv(by, lines)
    else:
        print_lines(by, lines, Console())


def has_model(definitions: dg.Definitions) -> bool:
    """Whether the project has a model of hours, built or not."""
    from timetracking_assets.hours.tables import SCHEMA

    return any(spec.key.path[0] == SCHEMA for spec in definitions.resolve_all_asset_specs())


_HEAD = ("planned", "capacity", "absent", "available", "worked", "billable")


def write_csv(by: str, lines: Sequence[Line]) -> None:
    """One row for each line; times in seconds, an amount as text with its currency."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([by, *(f"{name}_seconds" for name in _HEAD), "missing_days", "amount"])
    for line in lines:
        seconds = ["" if (v := getattr(line, name)) is None else v for name in _HEAD]
        missing = "" if line.missing_days is None else line.missing_days
        writer.writerow([_inert(line.label), *seconds, missing, _amounts(line)])


def _inert(text: str) -> str:
    """A name as text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def print_lines(by: str, lines: Sequence[Line], console: Console) -> None:
    """The lines as a table, in hours, with what they come to."""

    if not lines:
        console.print("No hours match.")
        return
    of_people = any(line.capacity is not None for line in lines)
    times = ("planned", "absent", "available", "worked", "billable")
    shown = times if of_people else ("worked", "billable")
    table = Table(Column(by, overflow="fold"), *shown)
    rates = ["billable / available", "billable / worked"] if of_people else ["billable / worked"]
    for name in [*rates, "days missing" if of_people else "amount"]:
        table.add_column(name)
    for column in table.columns[1:]:
        column.justify = "right"

    def cells(line: Line) -> list[Any]:
        shares = [line.utilisation] if of_people else []
        shares.append(line.billable_share)
        rest = str(line.missing_days) if of_people else _amounts(line)
        return [
            *(_hours(getattr(line, name)) for name in shown),
            *("" if share is None else f"{share:.0%}" for share in shares),
            rest,
        ]

    for line in lines:
        # names come from APIs
        table.add_row(escape(line.label), *cells(line))
    table.add_section()
    table.add_row("all", *cells(_total(lines, of_people)))
    console.print(table)


def _total(lines: Sequence[Line], of_people: bool) -> Line:
    from timetracking_assets.hours.report import Line

    names = ["worked", "billable"]
    if of_people:
        names += ["capacity", "absent", "available", "planned", "missing_days"]
    money: dict[str, float] = {}
    for line in lines:
        for currency, amount in line.amounts:
            money[currency] = money.get(currency, 0) + amount
    sums = {name: sum(getattr(line, name) or 0 for line in lines) for name in names}
    return Line("all", **sums, amounts=tuple(money.items()))


def _hours(seconds: int | None) -> str:
    return "" if seconds is None else f"{seconds / 3600:,.2f}"


def _amounts(line: Line) -> str:
    return "; ".join(f"{amount:,.2f} {currency}" for currency, amount in line.amounts)
