"""What all commands begin with: a Dagster instance, a warehouse and settings in one directory.

Also decides what is loaded from: the sandbox if not one variable of any API is set, the real APIs
as soon as one is; and how a command ends that can't go on. Nothing here imports Dagster or dlt.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

from dotenv import dotenv_values

from timetracking_assets.files.api_file import read_api_files
from timetracking_assets.files.locations import shipped_apis
from timetracking_assets.spec.variables import variable_names

_PACKAGE = Path(__file__).parents[1]


class WorkspaceError(Exception):
    """The local directory can't be used; the text says what to do."""


@dataclass(frozen=True)
class Workspace:
    """The local directory (`TIMETRACKING_HOME`, else `.timetracking`; for the sandbox's data one
    below it) and its environment."""

    home: Path
    environment: Mapping[str, str]
    variables: Mapping[str, list[str]]
    """API -> the environment variables that its `defs.yaml` names."""

    @property
    def configured(self) -> list[str]:
        """The APIs of which every variable is set."""
        return [
            api
            for api, names in self.variables.items()
            if all(self.environment.get(name, "").strip() for name in names)
        ]

    @property
    def uses_sandbox(self) -> bool:
        """True if no variable of any API is set."""
        names = {name for names in self.variables.values() for name in names}
        return not any(self.environment.get(name, "").strip() for name in names)

    def missing(self, api: str) -> list[str]:
        """The variables of `api` that are not set."""
        return [n for n in self.variables[api] if not self.environment.get(n, "").strip()]

    def sandbox_starts(self) -> dict[str, str]:
        """Variables that let partitions begin in the month a year ago, if the sandbox is used:
        Dagster writes events for each partition."""
        if not self.uses_sandbox:
            return {}
        from timetracking_assets.sandbox import SandboxServer

        # not another first day each day: partitions that are loaded would drop out of the calendar
        month = (datetime.now(UTC).date() - timedelta(days=365)).replace(day=1)
        first_day = max(SandboxServer().first_day, month).isoformat()
        return {f"{api.upper()}_START": first_day for api in self.variables}


def open_workspace(directory: Path | None = None) -> Workspace:
    """Make the local directory if need be and read `.env` beside it; real variables win over it.

    Raises WorkspaceError if the directory can't be written.
    """
    directory = directory or Path.cwd()
    from_file = {k: v for k, v in dotenv_values(directory / ".env").items() if v is not None}
    environment = {**from_file, **os.environ}
    home = Path(environment.get("TIMETRACKING_HOME") or directory / ".timetracking").absolute()
    variables = _variables()
    if Workspace(home, environment, variables).uses_sandbox:
        # invented rows and real ones must not meet in one table
        home = home / "sandbox"
    dagster_home = home / "dagster_home"
    try:
        dagster_home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (dagster_home / "dagster.yaml").exists():
            shutil.copyfile(shipped("dagster.yaml"), dagster_home / "dagster.yaml")
    except OSError as error:
        raise WorkspaceError(
            f"can't write {error.filename or dagster_home}: {error.strerror}. Set "
            "TIMETRACKING_HOME to a directory that can be written."
        ) from error
    environment["DAGSTER_HOME"] = environment.get("DAGSTER_HOME") or str(dagster_home)
    environment["TIMETRACKING_WAREHOUSE"] = environment.get("TIMETRACKING_WAREHOUSE") or str(
        home / "warehouse.duckdb"
    )
    return Workspace(home, environment, variables)


def shipped(name: str) -> Path:
    """A settings file of the project: in the installed package, or at the top of the repository."""
    packaged = _PACKAGE / name
    return packaged if packaged.exists() else _PACKAGE.parent / name


def _variables() -> dict[str, list[str]]:
    return {
        str(file.attributes["name"]): variable_names(file.attributes)
        for path in shipped_apis().values()
        for file in read_api_files(path)
    }


def stop(message: str, code: int = 1) -> NoReturn:
    """End the command with a message on stderr."""
    import typer
    from rich.console import Console

    Console(stderr=True).print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def workspace_or_stop() -> Workspace:
    """The workspace of the working directory."""
    try:
        return open_workspace()
    except WorkspaceError as error:
        stop(str(error))
