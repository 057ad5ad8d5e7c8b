"""The commands `timetracking status` and `timetracking dashboard`.

Only what a person types and reads belongs here; heavy imports wait until a command needs them.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from timetracking_assets.cli.workspace import stop, workspace_or_stop
from timetracking_assets.errors import cause_of
from timetracking_assets.orchestration.ui_address import VARIABLE, ui_address

if TYPE_CHECKING:
    from timetracking_assets.health.build import HealthReport

_MAIL_WIDTH = 120


def status(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Say whether the data is complete, fresh and right; exit code 1 if anything is red."""
    _enter_workspace()
    from timetracking_assets.health import terminal

    try:
        report = _read(look_at_tables=False).report
    except LoadError as error:
        stop(str(error))
    if as_json:
        # not through rich, which would break long lines
        print(terminal.as_json(report))
    else:
        # a mail or a log has no width of its own
        wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _MAIL_WIDTH
        terminal.print_report(report, Console(width=wide))
    if report.state.name == "FAILED":
        raise typer.Exit(1)


def dashboard(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free one.")
    ] = 8766,
    refresh: Annotated[
        int, typer.Option(min=5, help="Seconds after which the page is built anew.")
    ] = 60,
) -> None:
    """Serve the health report and the hours as a page on this machine, until Ctrl-C."""
    _enter_workspace()
    from timetracking_assets.health.page import check_address
    from timetracking_assets.health.server import listen, serve

    ui_url = ui_address()
    try:
        check_address(ui_url)
        listener = listen(port)
    except ValueError as error:
        stop(f"{error}: set {VARIABLE}")
    except OSError as error:
        stop(f"can't serve at port {port}: {os.strerror(error.errno or 0)}. Name another: --port")
    with listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        Console().print(f"Dashboard: {address}; Ctrl-C ends it.")
        serve(lambda: _read(look_at_tables=True).page(ui_url, refresh), listener, refresh)


class LoadError(Exception):
    """The code location can't be loaded; the text says why."""


def _enter_workspace() -> None:
    workspace = workspace_or_stop()
    os.environ.update({**workspace.sandbox_starts(), **workspace.environment})


def _read(*, look_at_tables: bool) -> HealthReport:
    import dagster as dg

    from timetracking_assets.definitions import defs
    from timetracking_assets.health.build import read_health
    from timetracking_assets.orchestration.resources import WarehouseResource

    try:
        definitions = defs()
    except Exception as error:
        # Dagster's own text lists all that was loaded, and not the cause
        problem = str(cause_of(error))
    else:
        warehouse = WarehouseResource().open() if look_at_tables else None
        with dg.DagsterInstance.get() as instance:
            return read_health(instance, definitions, warehouse, "timetracking dashboard")
    raise LoadError(f"the code location can't be loaded: {problem}")
