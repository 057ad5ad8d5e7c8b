"""The command line: `timetracking demo`, `dev`, `sandbox`, `show`, `doctor`, `publish`, `status`
and `dashboard`.

Only what a person types and reads belongs here; heavy imports wait until a command needs them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from timetracking_assets.cli.health import dashboard, status
from timetracking_assets.cli.workspace import Workspace, shipped, stop, workspace_or_stop
from timetracking_assets.errors import SpecError
from timetracking_assets.files.api_file import find_api, resolved_yaml

app = typer.Typer(
    help="Time-tracking APIs as Dagster assets.",
    no_args_is_help=True,
    add_completion=False,
    # local variables in a traceback could be secrets
    pretty_exceptions_show_locals=False,
)
app.command()(status)
app.command()(dashboard)
SANDBOX_PORT = 8765
Port = Annotated[int, typer.Option(help="Port of the sandbox.")]


@app.command()
def sandbox(port: Port = SANDBOX_PORT) -> None:
    """Serve the five APIs with invented data on this machine, until Ctrl-C."""
    from timetracking_assets.sandbox import PortInUseError, sandbox_environment, serve

    console = Console()
    console.print(
        f"The sandbox's APIs are at http://127.0.0.1:{port}; Ctrl-C ends it. Its settings:"
    )
    for name, value in sandbox_environment(f"http://127.0.0.1:{port}").items():
        console.print(f"  {name}={value}", highlight=False, soft_wrap=True)
    try:
        serve(port=port)
    except PortInUseError as error:
        stop(str(error))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the sandbox; 0 takes a free one.")] = 0,
) -> None:
    """Load all assets, all years and all days up to yesterday, and show what came of it.

    It loads from the sandbox if no API's variables are set, else from the configured APIs.
    """
    workspace = workspace_or_stop()
    console = Console()
    with _source(workspace, port, console) as environment:
        os.environ.update(environment)
        from timetracking_assets.cli.demo import run_demo

        try:
            succeeded = run_demo(console, workspace.configured or list(workspace.variables))
        except KeyboardInterrupt:
            stop("Interrupted; what had been loaded stays. Run it again to load the rest.", 130)
    if not succeeded:
        raise typer.Exit(1)
    from timetracking_assets.warehouse.find import find_warehouse

    console.print(
        f"\nNext: [bold]{sys.argv[0]} dev[/] opens the Dagster UI with these runs at "
        "http://127.0.0.1:3000; the tables are in "
        f"{find_warehouse()}. To load your own data, copy .env.example to "
        ".env and fill in one API.",
        soft_wrap=True,
    )


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    sandbox_port: Port = SANDBOX_PORT,
) -> None:
    """Start the Dagster UI and daemon on the same instance and warehouse as the demo."""
    workspace = workspace_or_stop()
    console = Console()
    with _source(workspace, sandbox_port, console) as environment:
        console.print(f"Dagster UI: http://127.0.0.1:{port}; Ctrl-C ends it.")
        own = Path("workspace.yaml")
        workspace_file = own if own.exists() else shipped("workspace.yaml")
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "dagster",
                "dev",
                "--port",
                str(port),
                "-w",
                str(workspace_file),
            ],
            env=environment,
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = process.wait()
    raise typer.Exit(code)


@app.command()
def show(api: Annotated[str, typer.Argument(help="Name of the API.")]) -> None:
    """Print the YAML that an API's file comes to, with what it extends; secrets by their names."""
    try:
        typer.echo(resolved_yaml(find_api(api, Path.cwd())), nl=False)
    except SpecError as error:
        stop(str(error))


@app.command()
def doctor(
    api: Annotated[str | None, typer.Argument(help="Name of the API; all if left out.")] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Ask for the 31 days before this day, not today."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask each API for small pages, and say what its file should say otherwise.

    At most two requests a resource, nothing is loaded. Exit code 1 if a load would fail or lose
    rows.
    """
    workspace = workspace_or_stop()
    os.environ.update(workspace.environment)
    from timetracking_assets.component import load_project
    from timetracking_assets.doctor.examination import examine
    from timetracking_assets.doctor.report import print_examination

    try:
        apis = load_project(Path.cwd(), api)
    except SpecError as error:
        stop(str(error))
    day = until.date() if until else datetime.now(UTC).date()
    configured = [a for a in apis if api or any(os.environ.get(n) for n in a.variables)]
    if not configured:
        stop("No API is configured: set the variables of one (see .env.example), or name one.")
    examinations = [examine(each, os.environ, day) for each in configured]
    if as_json:
        typer.echo(json.dumps([each.as_json() for each in examinations], indent=2))
    else:
        for each in examinations:
            print_examination(Console(), each)
    if not all(each.healthy for each in examinations):
        raise typer.Exit(1)


@app.command()
def publish() -> None:
    """Replace the copy of the warehouse that others may read at any time by its present state."""
    os.environ.update(workspace_or_stop().environment)
    from timetracking_assets.errors import IngestError
    from timetracking_assets.warehouse.find import find_warehouse

    warehouse = find_warehouse()
    try:
        path = warehouse.publish("publish")
    except IngestError as error:
        stop(str(error))
    if path is None:
        Console().print(f"Nothing to publish: others read {warehouse} itself at any time.")
    else:
        Console().print(f"Published: {path}", soft_wrap=True)


@contextmanager
def _source(workspace: Workspace, port: int, console: Console) -> Iterator[dict[str, str]]:
    """The environment to load with: the sandbox's, running while inside, or the real APIs'."""
    environment = dict(workspace.environment)
    if not workspace.uses_sandbox:
        for api in workspace.variables:
            if api not in workspace.configured:
                missing = ", ".join(workspace.missing(api))
                console.print(f"[yellow]{api} is not configured[/]: {missing} not set.")
        if not workspace.configured:
            stop("No API is configured completely. See .env.example.")
        yield environment
        return
    from timetracking_assets.sandbox import PortInUseError, SandboxServer

    server = SandboxServer(port=port)
    try:
        server.start()
    except PortInUseError as error:
        stop(str(error))
    console.print(f"No API is configured: loading from the sandbox at {server.url}.")
    try:
        yield {**workspace.sandbox_starts(), **environment, **server.environment}
    finally:
        server.stop()


if __name__ == "__main__":
    app()
