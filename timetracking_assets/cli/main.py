"""The command line `timetracking`.

Only options and output belong here; heavy imports wait until a command needs them.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from timetracking_assets.cli.check import check
from timetracking_assets.cli.docs import docs, schema
from timetracking_assets.cli.health import dashboard, status
from timetracking_assets.cli.hours import hours
from timetracking_assets.cli.options import day
from timetracking_assets.cli.workspace import Workspace, stop, workspace_or_stop
from timetracking_assets.errors import IngestError, SpecError

app = typer.Typer(
    help="Time-tracking APIs as Dagster assets. In a dg project, every command works on the "
    "project's own definitions.",
    no_args_is_help=True,
    # local variables in a traceback could be secrets
    pretty_exceptions_show_locals=False,
)
app.command()(check)
app.command()(status)
app.command()(dashboard)
app.command()(hours)
app.command()(docs)
app.command()(schema)
SANDBOX_PORT = 8765
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the sandbox.")]


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"timetracking-assets {version('timetracking-assets')}")
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    # most of what a command makes are modules and definitions, which stay: look for garbage less
    gc.set_threshold(20_000, 20, 100)


@app.command()
def sandbox(
    port: Port = SANDBOX_PORT,
    today: Annotated[
        date | None,
        typer.Option(
            parser=day,
            help="The day on which the APIs answer: their data ends with the day before it. "
            "The current day (UTC) by default.",
        ),
    ] = None,
    odd_rows: Annotated[
        bool,
        typer.Option(
            "--odd-rows",
            help="Add rows that tidy data lacks: running timers, overlaps, unknown words.",
        ),
    ] = False,
) -> None:
    """Serve the five shipped APIs with invented data on this machine, until Ctrl-C."""
    from timetracking_assets.sandbox import PortInUseError, sandbox_environment, serve

    console = Console()
    console.print(
        f"The sandbox's APIs are at http://127.0.0.1:{port}; Ctrl-C ends it. Its settings:"
    )
    for name, value in sandbox_environment(f"http://127.0.0.1:{port}").items():
        console.print(f"  {name}={value}", highlight=False, soft_wrap=True)
    try:
        serve(port=port, today=today, odd_rows=odd_rows)
    except PortInUseError as error:
        stop(str(error))


@app.command()
def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the sandbox; 0 takes a free one.")
    ] = 0,
) -> None:
    """Load all assets with all their partitions up to yesterday, and show the result.

    In a dg project these are its own assets. Elsewhere they are those of the shipped APIs, which
    are loaded from a sandbox unless a variable of one is set.
    """
    workspace = workspace_or_stop()
    console = Console()
    with _source(workspace, port, console) as environment:
        os.environ.update(environment)
        from timetracking_assets.cli.code_location import LoadError
        from timetracking_assets.cli.demo import run_demo

        problem, code, succeeded = "", 1, False
        apis = list(workspace.variables) if workspace.uses_sandbox else workspace.configured
        try:
            succeeded = run_demo(console, workspace, apis)
        except (IngestError, LoadError) as error:
            problem = str(error)
        except KeyboardInterrupt:
            problem = "Interrupted; what had been loaded stays. Run it again to load the rest."
            code = 130
        if problem:
            stop(problem, code)
    if not succeeded:
        raise typer.Exit(1)
    console.print(
        f"\nNext: [bold]{escape(Path(sys.argv[0]).name)} dev[/] opens the Dagster UI with these "
        "runs at http://127.0.0.1:3000.",
        soft_wrap=True,
    )
    if workspace.uses_sandbox:
        api, names = next(iter(workspace.variables.items()))
        console.print(
            f"To load your own data, set the variables of an API in {workspace.root / '.env'}, "
            f"for {api} {' and '.join(names)}.",
            soft_wrap=True,
        )


@app.command()
def dev(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Dagster UI.")] = 3000,
    sandbox_port: Port = SANDBOX_PORT,
) -> None:
    """Start the Dagster UI and daemon on the same instance and warehouse as the demo."""
    from timetracking_assets.cli.dev import (
        PortError,
        check_port,
        dev_command,
        run_until_stopped,
        without_warnings,
    )

    workspace = workspace_or_stop()
    problem = ""
    try:
        # before anything is started
        check_port(port)
    except PortError as error:
        problem = str(error)
    if problem:
        stop(problem)
    console = Console()
    with _source(workspace, sandbox_port, console) as environment:
        console.print(f"Dagster UI: http://127.0.0.1:{port}; Ctrl-C ends it.")
        command = dev_command(workspace, port)
        code = run_until_stopped(command, without_warnings(environment), workspace.root)
    raise typer.Exit(code)


@app.command()
def show(api: Annotated[str, typer.Argument(help="Name of the API.")]) -> None:
    """Print an API's YAML with everything that it extends; secrets appear as variable names."""
    from timetracking_assets.files.api_file import find_api, resolved_yaml

    try:
        typer.echo(resolved_yaml(find_api(api, Path.cwd())), nl=False)
    except SpecError as error:
        stop(str(error))


@app.command()
def doctor(
    api: Annotated[str | None, typer.Argument(help="Name of the API; all if left out.")] = None,
    until: Annotated[
        date | None,
        typer.Option(parser=day, help="Request the 31 days before this day, not today."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Write the suggestions of errors into the files; show how."),
    ] = False,
) -> None:
    """Ask each API for small pages and suggest changes to its file.

    At most two requests for each resource; nothing is loaded. Exit code 1 if a load would fail or
    lose rows.
    """
    workspace = workspace_or_stop()
    os.environ.update(workspace.environment)
    from timetracking_assets.component import load_project
    from timetracking_assets.doctor.examination import examine
    from timetracking_assets.doctor.report import print_examination

    problem = ""
    try:
        apis = load_project(Path.cwd(), api)
    except SpecError as error:
        problem = str(error)
    if problem:
        stop(problem)
    last = until or datetime.now(UTC).date()
    chosen = [each for each in apis if api or _is_configured_partly(each.variables)]
    if not chosen:
        stop(workspace.not_configured())
    examinations = [examine(each, os.environ, last) for each in chosen]
    if as_json:
        typer.echo(json.dumps([each.as_json() for each in examinations], indent=2))
    else:
        for each in examinations:
            print_examination(Console(), each)
    if fix:
        from timetracking_assets.cli.fix import write_suggestions

        write_suggestions(Console(stderr=as_json), examinations, Path.cwd())
    if not all(each.healthy for each in examinations):
        raise typer.Exit(1)


def _is_configured_partly(variables: Sequence[str]) -> bool:
    return not variables or any(os.environ.get(name) for name in variables)


@app.command()
def publish() -> None:
    """Replace the copy of the warehouse that others may read at any time by its present state."""
    workspace = workspace_or_stop()
    os.environ.update(workspace.environment)
    from timetracking_assets.cli.code_location import LoadError, load_definitions, warehouse_of

    problem = ""
    try:
        warehouse = warehouse_of(load_definitions(workspace))
        path = warehouse.publish("publish")
    except (IngestError, LoadError) as error:
        problem = str(error)
    if problem:
        stop(problem)
    if path is None:
        Console().print(f"Nothing to publish: others read {warehouse} itself at any time.")
    else:
        Console().print(f"Published: {path}", soft_wrap=True)


@contextmanager
def _source(workspace: Workspace, port: int, console: Console) -> Iterator[dict[str, str]]:
    """The environment to load with: the sandbox's, running while inside, or the real APIs'."""
    environment = dict(workspace.environment)
    if not workspace.uses_sandbox:
        if not workspace.configured:
            stop(workspace.not_configured())
        for api in workspace.variables:
            if missing := ", ".join(workspace.missing(api)):
                console.print(f"[yellow]{api} is not configured[/]: {missing} not set.")
        yield environment
        return
    from timetracking_assets.sandbox import PortInUseError, SandboxServer

    server, problem = SandboxServer(port=port), ""
    try:
        server.start()
    except PortInUseError as error:
        problem = str(error)
    if problem:
        stop(problem)
    console.print(f"No API is configured: loading from the sandbox at {server.url}.")
    try:
        yield {**workspace.sandbox_starts(), **environment, **server.environment}
    finally:
        server.stop()


if __name__ == "__main__":
    app()
