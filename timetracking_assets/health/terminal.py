"""The health report in the terminal: a table for people, JSON for programs."""

from __future__ import annotations

import json
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from timetracking_assets.health.model import AssetHealth, PartitionState, Report, State
from timetracking_assets.health.text import counted

_ROOMY = 110
"""Columns from which on the table says how fresh each asset is."""
_COLOURS = {State.UNUSED: "dim", State.OK: "green", State.WARNING: "yellow", State.FAILED: "red"}


def print_report(report: Report, console: Console) -> None:
    """A row for each asset of an API in use, then what needs attention and what to do.

    Names, dates and figures stay whole at 80 columns; the freshness is shown where there is room.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    for name in ("asset", "state", "loaded (UTC)"):
        table.add_column(name, no_wrap=True)
    for name in ("rows", "checks", "partitions"):
        table.add_column(name, justify="right", no_wrap=True)
    roomy = console.width >= _ROOMY
    if roomy:
        table.add_column("freshness")
    for api in report.apis:
        if api.state == State.UNUSED:
            continue
        table.add_row(f"[bold]{escape(api.name)}[/]", _state(api.state))
        for asset in api.assets:
            table.add_row(*_row(asset), *([escape(asset.freshness)] if roomy else []))
        table.add_section()
    if table.row_count:
        console.print(table)
    for api in report.apis:
        if api.state == State.UNUSED:
            console.print(f"{escape(api.name)}: not in use, never loaded.", style="dim")
    for asset, problem in report.problems:
        since = f", since {problem.since:%Y-%m-%d %H:%M} UTC" if problem.since else ""
        console.print(
            f"{_state(problem.state)} [bold]{escape(asset.name)}[/]: "
            f"{escape(problem.what)}{since}. {escape(problem.advice)}",
            soft_wrap=True,
        )
        if problem.detail:
            console.print(f"    {escape(problem.detail.splitlines()[0])}", soft_wrap=True)
    for note in report.notes:
        console.print(escape(note), style="yellow", soft_wrap=True)
    counts = [f"{report.count(state)} {state.word}" for state in State if report.count(state)]
    assets = counted(len(report.assets), "asset")
    console.print(f"{_state(report.state)}: {assets}, {', '.join(counts)}.")


def as_json(report: Report) -> str:
    """The report for programs; times in UTC as ISO 8601."""
    document: dict[str, Any] = {
        "state": report.state.name.lower(),
        "at": report.at.isoformat(timespec="seconds"),
        "assets": [_json(asset) for asset in report.assets],
        "notes": list(report.notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _json(asset: AssetHealth) -> dict[str, Any]:
    return {
        "asset": asset.name,
        "state": asset.state.name.lower(),
        "running": asset.running,
        "last_success": asset.last_success.isoformat() if asset.last_success else None,
        "freshness": asset.freshness,
        "rows": asset.rows,
        "checks": {check.name: check.state.name.lower() for check in asset.checks},
        "partitions": {
            state.name.lower(): count for state in PartitionState if (count := asset.count(state))
        },
        "problems": [
            {
                "state": problem.state.name.lower(),
                "what": problem.what,
                "since": problem.since.isoformat() if problem.since else None,
                "detail": problem.detail,
                "advice": problem.advice,
                "link": problem.link,
            }
            for problem in asset.problems
        ],
    }


def _row(asset: AssetHealth) -> list[str]:
    loaded = asset.count(PartitionState.LOADED)
    return [
        f"  {escape(asset.short_name)}",
        _state(asset.state),
        f"{asset.last_success:%Y-%m-%d %H:%M}" if asset.last_success else "never",
        "" if asset.rows is None else f"{asset.rows:,}",
        f"{asset.checks_passed}/{asset.checks_evaluated}",
        f"{loaded}/{len(asset.partitions)}" if asset.partitions else "",
    ]


def _state(state: State) -> str:
    return f"[{_COLOURS[state]}]{state.symbol} {state.word}[/]"
