"""What all commands start with: the project, its APIs, settings, and a directory for Dagster.

In a `dg` project these are the project's own. Anywhere else they are the shipped APIs, which are
loaded from the sandbox if not one of their variables is set, and from the real APIs as soon as one
is. Dagster and dlt are imported only where a file is wrong.
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

from timetracking_assets.errors import SpecError
from timetracking_assets.files.locations import Project, find_project, shipped_apis
from timetracking_assets.spec.variables import variable_names
from timetracking_assets.warehouse.find import DEFAULT_FILE

_PACKAGE = Path(__file__).parents[1]
SHIPPED_MODULE = "timetracking_assets.definitions"


class WorkspaceError(Exception):
    """The commands can't work here; the text says what to do."""


@dataclass(frozen=True)
class Workspace:
    """The local directory (`TIMETRACKING_HOME`, else `.timetracking` in the project; for the
    sandbox's data a folder in it), the environment, and the APIs.

    `project` is None for the shipped APIs, inside and outside of their repository.
    """

    root: Path
    home: Path
    environment: Mapping[str, str]
    variables: Mapping[str, list[str]]
    """API -> the environment variables that its `defs.yaml` names."""
    project: Project | None = None

    @property
    def configured(self) -> list[str]:
        """The APIs of which every variable is set."""
        return [api for api in self.variables if not self.missing(api)]

    @property
    def uses_sandbox(self) -> bool:
        """True if the APIs are the shipped ones and none of their variables is set."""
        names = {name for names in self.variables.values() for name in names}
        return self.project is None and not any(map(self._is_set, names))

    def missing(self, api: str) -> list[str]:
        """The variables of `api` that are not set."""
        return [name for name in self.variables[api] if not self._is_set(name)]

    def _is_set(self, name: str) -> bool:
        return bool(self.environment.get(name, "").strip())

    @property
    def definitions_module(self) -> str:
        """The module whose definitions the commands work on."""
        return self.project.definitions_module if self.project else SHIPPED_MODULE

    @property
    def sources(self) -> Path | None:
        """The folder that the module is imported from, where it may not be installed."""
        return self.project.sources if self.project else None

    def sandbox_starts(self) -> dict[str, str]:
        """Variables that let partitions begin in the month a year ago, if the sandbox is used:
        Dagster writes events for each partition."""
        if not self.uses_sandbox:
            return {}
        from timetracking_assets.sandbox import SandboxServer

        # not another first day each day: loaded partitions would drop out of the calendar
        month = (datetime.now(UTC).date() - timedelta(days=365)).replace(day=1)
        first_day = max(SandboxServer().first_day, month).isoformat()
        return {f"{api.upper()}_START": first_day for api in self.variables}

    def not_configured(self) -> str:
        """What to do where no API is configured."""
        if not self.variables:
            folder = self.project.defs_folder if self.project else _PACKAGE / "defs"
            return (
                f"There is no API in {folder}. Add one: "
                "dg scaffold defs timetracking_assets.RestApi my_api"
            )
        missing = [f"  {api}: {', '.join(self.missing(api))}" for api in self.variables]
        place = self.root / ".env"
        return "\n".join(
            [f"No API is configured. Set the variables of one, for example in {place}:", *missing]
        )


def open_workspace(directory: Path | None = None) -> Workspace:
    """Make the local directory if need be, and read `.env`; real variables win over it.

    Raises WorkspaceError if the directory can't be written, or a file of an API can't be read.
    """
    directory = directory or Path.cwd()
    project = find_project(directory)
    if project is not None and project.is_shipped:
        project = None
    root = project.root if project else directory
    from_file = {k: v for k, v in dotenv_values(root / ".env").items() if v is not None}
    if unusable := [name for name, value in from_file.items() if "\0" in name + value]:
        raise WorkspaceError(
            f"{root / '.env'}: {', '.join(map(repr, unusable))} holds a NUL character, which no "
            "environment variable can: write the value again."
        )
    environment = {**from_file, **os.environ}
    home = Path(environment.get("TIMETRACKING_HOME") or root / ".timetracking").absolute()
    variables = _variables(project)
    if Workspace(root, home, environment, variables, project).uses_sandbox:
        # invented rows and real ones must not meet in one table
        home = home / "sandbox"
    dagster_home = home / "dagster_home"
    if not environment.get("DAGSTER_HOME"):
        environment["DAGSTER_HOME"] = str(dagster_home)
        try:
            dagster_home.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (dagster_home / "dagster.yaml").exists():
                shutil.copyfile(shipped("dagster.yaml"), dagster_home / "dagster.yaml")
        except OSError as error:
            raise WorkspaceError(
                f"can't write {error.filename or dagster_home}: {error.strerror}. Set "
                "TIMETRACKING_HOME to a directory that can be written."
            ) from error
    if not environment.get("TIMETRACKING_WAREHOUSE"):
        # in a project the file that its runs load into by default, whoever starts them
        file = (root / DEFAULT_FILE).absolute() if project else home / "warehouse.duckdb"
        environment["TIMETRACKING_WAREHOUSE"] = str(file)
    # Dagster writes the events of a range of partitions one by one otherwise
    environment.setdefault("DAGSTER_EVENT_BATCH_SIZE", "50")
    return Workspace(root, home, environment, variables, project)


def shipped(name: str) -> Path:
    """A settings file of the project: in the installed package, or at the top of the repository."""
    packaged = _PACKAGE / name
    return packaged if packaged.exists() else _PACKAGE.parent / name


def _variables(project: Project | None) -> dict[str, list[str]]:
    # the models of a file take a while, and `--help` needs none
    from timetracking_assets.files.api_file import api_files, read_api_files

    if project is None:
        files = [file for path in shipped_apis().values() for file in read_api_files(path)]
    else:
        problem = None
        try:
            files = api_files(project.root)
        except SpecError as error:
            problem = _all_mistakes(project) or str(error)
        if problem:
            raise WorkspaceError(problem)
    return {str(file.attributes["name"]): variable_names(file.attributes) for file in files}


def _all_mistakes(project: Project) -> str | None:
    """The mistakes of all files, in the words that every command and Dagster have for them."""
    # what a mistake costs: reading names alone needs no Dagster
    from timetracking_assets.component import load_project

    try:
        load_project(project.root)
    except SpecError as error:
        return str(error)
    return None


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
