"""The command `timetracking check`: the project's files, judged without a request.

Only what it prints belongs here; the rules are in `spec/`, places in `files/`.
"""

from __future__ import annotations

import os
from pathlib import Path

import typer

from timetracking_assets.cli.workspace import stop, workspace_or_stop
from timetracking_assets.errors import SpecError
from timetracking_assets.health.text import counted


def check() -> None:
    """Name all mistakes in the project's files, each with file, line and what would be right.

    Requests nothing. Exit code 1 if there is one.
    """
    from timetracking_assets.component import load_project

    problem = ""
    try:
        apis = load_project(Path.cwd())
    except SpecError as error:
        problem = str(error)
    if problem:
        stop(problem)
    workspace = workspace_or_stop()
    os.environ.update(workspace.environment)
    from timetracking_assets.cli.code_location import LoadError, check_definitions

    try:
        check_definitions(workspace)
    except LoadError as error:
        problem = str(error)
    if problem:
        stop(problem)
    for api in apis:
        typer.echo(f"{api.name}: {counted(len(api.resources), 'resource')}")
    typer.echo("No mistakes.")
