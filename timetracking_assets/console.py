"""What all commands have in common: how they begin, and how they end when they can't go on."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console

from timetracking_assets.local import Workspace, WorkspaceError, open_workspace


def stop(message: str, code: int = 1) -> NoReturn:
    """End the command with a message on stderr."""
    Console(stderr=True).print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def workspace_or_stop() -> Workspace:
    """The workspace of the working directory."""
    try:
        return open_workspace()
    except WorkspaceError as error:
        stop(str(error))
