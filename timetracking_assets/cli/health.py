"""The commands `timetracking status` and `timetracking dashboard`.

Only options and output belong here; heavy imports wait until a command needs them.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from timetracking_assets.cli.workspace import Workspace, stop, workspace_or_stop
from timetracking_assets.orchestration.ui_address import VARIABLE, ui_address

if TYPE_CHECKING:
    from timetracking_assets.health.build import HealthReport

_MAIL_WIDTH = 120


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show whether the data is complete, fresh and correct; exit code 1 if anything has failed."""
    workspace = _enter_workspace()
    from timetracking_assets.cli.code_location import LoadError
    from timetracking_assets.health import terminal

    problem = ""
    try:
        report = _read(workspace, look_at_tables=False).report
    except LoadError as error:
        problem = str(error)
    if problem:
        stop(problem)
    if as_json:
        # not through rich, which would break long lines
        print(terminal.as_json(report))
    else:
        # a mail or a log has no width of its own
        wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _MAIL_WIDTH
        console = Console(width=wide)
        terminal.print_report(report, console)
        if not any(asset.loads or asset.problems for asset in report.assets):
            console.print(
                f"No load is recorded in {os.environ['DAGSTER_HOME']}. Runs of `dg launch` and "
                "`dg dev` are recorded where DAGSTER_HOME points: set it to that folder for both.",
                soft_wrap=True,
            )
    if report.state.name == "FAILED":
        raise typer.Exit(1)


def dashboard(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free one.")
    ] = 8766,
    refresh: Annotated[
        int, typer.Option(min=5, help="Seconds after which the page is built again.")
    ] = 60,
) -> None:
    """Serve the health report and the hours as a page on this machine, until Ctrl-C."""
    workspace = _enter_workspace()
    from timetracking_assets.health.page import check_address
    from timetracking_assets.health.server import listen, serve

    ui_url, problem = ui_address(), ""
    try:
        check_address(ui_url)
        listener = listen(port)
    except ValueError as error:
        problem = f"{error}: set {VARIABLE}"
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        problem = f"can't serve at port {port}: {reason}. Name another one: --port"
    if problem:
        stop(problem)
    with listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        Console().print(f"Dashboard: {address}; Ctrl-C ends it.")
        serve(
            lambda: _read(workspace, look_at_tables=True).page(ui_url, refresh), listener, refresh
        )


def _enter_workspace() -> Workspace:
    workspace = workspace_or_stop()
    os.environ.update({**workspace.sandbox_starts(), **workspace.environment})
    return workspace


def _read(workspace: Workspace, *, look_at_tables: bool) -> HealthReport:
    import dagster as dg

    from timetracking_assets.cli.code_location import load_definitions, warehouse_of
    from timetracking_assets.health.build import read_health

    definitions = load_definitions(workspace)
    warehouse = warehouse_of(definitions) if look_at_tables else None
    with dg.DagsterInstance.get() as instance:
        return read_health(instance, definitions, warehouse, "timetracking dashboard")
