"""The command `timetracking hours`: the sums of the model of hours as a table, CSV or JSON.

Only options and output belong here; what is read is in `hours/report.py`.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.cells import cell_len
from rich.console import Console

from timetracking_assets.cli.options import day
from timetracking_assets.cli.workspace import stop, workspace_or_stop
from timetracking_assets.errors import IngestError

if TYPE_CHECKING:
    from timetracking_assets.hours.report import Line, Selection

_NO_MODEL = (
    "the project has no model of hours. Add one: `defs/hours/defs.yaml` with "
    "`type: timetracking_assets.HoursModel`, and `unified` in the files of its APIs; "
    "`timetracking docs hours` shows both."
)
_Text = Annotated[str, typer.Option(help="Part of a name or key.")]


def hours(
    by: Annotated[
        Literal["person", "week", "project", "client", "source", "person-week", "project-week"],
        typer.Option(help="What a line is of."),
    ] = "person",
    first: Annotated[date | None, typer.Option("--from", parser=day, help="First day.")] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", parser=day, help="Last day; today if left out."),
    ] = None,
    person: _Text = "",
    project: _Text = "",
    client: _Text = "",
    source: _Text = "",
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, in seconds, instead of a table.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, in seconds, instead of a table.")
    ] = False,
) -> None:
    """Show planned, absent, available, worked and billable hours, and missing timesheets.

    Projects, clients and sources have worked and billable hours only, known by week.
    """
    if as_csv and as_json:
        stop("--csv and --json exclude each other", code=2)
    workspace = workspace_or_stop()
    os.environ.update({**workspace.sandbox_starts(), **workspace.environment})
    import dagster as dg

    from timetracking_assets.cli.code_location import LoadError, load_definitions, warehouse_of
    from timetracking_assets.hours.report import Selection, is_built, read_lines, sources
    from timetracking_assets.orchestration.hours.age import model_age

    # plans and working days go on for years
    end = last or datetime.now(UTC).date()
    chosen = Selection(first, end, person, project, client, source)
    problem = ""
    try:
        definitions = load_definitions(workspace)
        with dg.DagsterInstance.get() as instance:
            age = model_age(instance, definitions.resolve_all_asset_specs())
        with warehouse_of(definitions).reading("timetracking hours") as opened:
            # tables of another project's model may be in the same warehouse
            if not is_built(opened) and not age.exists:
                raise IngestError(_NO_MODEL)
            lines = read_lines(opened, by, chosen)
            notes = age.notes(sources(opened))
    except (IngestError, LoadError) as error:
        problem = str(error)
    if problem:
        stop(problem)
    if as_json:
        # not through rich, which would break long lines
        print(to_json(by, chosen, lines, age.built_at, notes))
        return
    if as_csv:
        write_csv(by, lines)
    else:
        print_lines(by, lines, Console())
    for note in notes:
        Console(stderr=True).print(note, markup=False, highlight=False, soft_wrap=True)


_TIMES = ("planned", "capacity", "absent", "available", "worked", "billable")
_KEYED = ("person", "project", "client")


def write_csv(by: str, lines: Sequence[Line]) -> None:
    """One row for each line; times in seconds, an amount as text with its currency."""
    of, _, per_week = by.partition("-")
    keyed = of in _KEYED
    writer = csv.writer(sys.stdout, lineterminator="\n")
    head = [of, *([f"{of}_key"] if keyed else []), *(["week"] if per_week else [])]
    days = ("missing_days", "due_days")
    writer.writerow([*head, *(f"{name}_seconds" for name in _TIMES), *days, "amount"])
    for line in lines:
        numbers = ["" if (v := getattr(line, name)) is None else v for name in (*_TIMES, *days)]
        first = [_inert(line.label)]
        if keyed:
            first.append(_inert(line.key or ""))
        if per_week:
            first.append(str(line.week))
        writer.writerow([*first, *numbers, _amounts(line)])


def _inert(text: str) -> str:
    """A name as text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def to_json(
    by: str,
    chosen: Selection,
    lines: Sequence[Line],
    built_at: datetime | None,
    notes: Sequence[str],
) -> str:
    """All that the table shows: times in seconds, shares as fractions, what is unknown as null."""
    from timetracking_assets.hours.report import total

    def row(line: Line) -> dict[str, Any]:
        return {
            "label": line.label,
            "key": line.key,
            "week": line.week,
            **{f"{name}_seconds": getattr(line, name) for name in _TIMES},
            "missing_days": line.missing_days,
            "due_days": line.due_days,
            "billable_of_available": line.utilisation,
            "billable_of_worked": line.billable_share,
            "amounts": dict(line.amounts),
        }

    document = {
        "by": by,
        "selection": asdict(chosen),
        "built_at": built_at,
        "notes": list(notes),
        "lines": [row(line) for line in lines],
        "total": row(total(lines)),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=_as_text)


def _as_text(value: date | datetime) -> str:
    return value.isoformat()


_Cell = Callable[["Line"], str]


def print_lines(by: str, lines: Sequence[Line], console: Console) -> None:
    """The lines in hours, and what they come to. A name that has no room beside its figures has a
    line of its own above them."""
    from timetracking_assets.hours.report import total

    if not lines:
        console.print("No hours match.")
        return
    of, _, per_week = by.partition("-")
    whole = total(lines)
    columns = _columns(whole, bool(per_week))
    rows = [[cell(line) for _, _, cell in columns] for line in (*lines, whole)]
    widths = [
        max(len(over), len(head), *(len(row[n]) for row in rows))
        for n, (over, head, _) in enumerate(columns)
    ]
    labels = [*(line.label for line in lines), whole.label]
    longest = max(len(of), *map(cell_len, labels))
    beside = max(console.width - sum(widths) - len(widths), 0)
    room = min(longest, beside)

    def show(label: str, cells: Sequence[str], style: str = "") -> None:
        texts = [text.rjust(width) for text, width in zip(cells, widths, strict=True)]
        if cell_len(label) > room:
            _print(console, label, style)
            label = ""
        _print(console, " ".join([label + " " * (room - cell_len(label)), *texts]), style)

    show("", [over for over, _, _ in columns], "bold")
    show(of, [head for _, head, _ in columns], "bold")
    rule = "─" * min(room + sum(widths) + len(widths), console.width)
    _print(console, rule)
    for label, row in zip(labels[:-1], rows, strict=False):
        show(label, row)
    _print(console, rule)
    show(labels[-1], rows[-1], "bold")
    if whole.due_days is not None:
        _print(
            console,
            f"Days missing: without hours, of {whole.due_days:,} working days whose hours are due.",
        )


def _columns(whole: Line, per_week: bool) -> list[tuple[str, str, _Cell]]:
    """Two lines of a head, and what is below it. The shares are of the billable hours before them,
    and have their denominators in their heads."""

    def seconds(name: str) -> _Cell:
        return lambda line: f"{getattr(line, name) / 3600:,.2f}"

    def percent(name: str) -> _Cell:
        return lambda line: "" if (v := getattr(line, name)) is None else f"{v:.0%}"

    of_people = whole.capacity is not None
    times = ("planned", "absent", "available", "worked", "billable")
    columns: list[tuple[str, str, _Cell]] = []
    if per_week:
        columns.append(("", "week of", lambda line: str(line.week or "")))
    columns += [("", name, seconds(name)) for name in (times if of_people else times[3:])]
    if of_people:
        columns.append(("of", "avail.", percent("utilisation")))
    columns.append(("of", "worked", percent("billable_share")))
    if of_people:
        columns.append(("days", "missing", lambda line: f"{line.missing_days:,}"))
    else:
        columns.append(("", "amount", _amounts))
    return columns


def _print(console: Console, text: str, style: str = "") -> None:
    # names come from APIs, and stay whole whatever the width
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def _amounts(line: Line) -> str:
    return "; ".join(f"{amount:,.2f} {currency}" for currency, amount in line.amounts)
