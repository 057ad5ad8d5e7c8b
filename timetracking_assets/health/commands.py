"""The commands `timetracking status` and `timetracking dashboard`.

Only what a person types and reads belongs here; heavy imports wait until a command needs them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from timetracking_assets.local import open_workspace
from timetracking_assets.ui_address import ui_address

if TYPE_CHECKING:
    from timetracking_assets.health.build import HealthReport


def status(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Say whether the data is complete, fresh and right; exit code 1 if anything is red."""
    _enter_workspace()
    from timetracking_assets.health import terminal

    report = _read(look_at_tables=False).report
    if as_json:
        # not through rich, which would break long lines
        print(terminal.as_json(report))
    else:
        terminal.print_report(report, Console())
    if report.state.name == "FAILED":
        raise typer.Exit(1)


def dashboard(
    port: Annotated[int, typer.Option(help="Port of the page.")] = 8766,
    refresh: Annotated[
        int, typer.Option(min=5, help="Seconds after which the page is built anew.")
    ] = 60,
) -> None:
    """Serve the health report and the hours as a page on this machine, until Ctrl-C."""
    _enter_workspace()
    from timetracking_assets.health.server import serve

    ui_url = ui_address()
    Console().print(f"Dashboard: http://127.0.0.1:{port}; Ctrl-C ends it.")
    serve(lambda: _read(look_at_tables=True).page(ui_url, refresh), port, refresh)


def _enter_workspace() -> None:
    workspace = open_workspace()
    os.environ.update({**workspace.sandbox_starts(), **workspace.environment})


def _read(*, look_at_tables: bool) -> HealthReport:
    import dagster as dg

    from timetracking_assets.definitions import defs
    from timetracking_assets.health.build import read_health
    from timetracking_assets.orchestration.resources import WarehouseResource

    warehouse = WarehouseResource().open() if look_at_tables else None
    with dg.DagsterInstance.get() as instance:
        return read_health(instance, defs(), warehouse, "timetracking dashboard")
