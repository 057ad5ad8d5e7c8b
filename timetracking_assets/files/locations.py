"""Where the files of APIs are: those of the surrounding project, else the shipped ones."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMPONENT = "timetracking_assets.RestApi"
_SHIPPED = Path(__file__).parents[1] / "defs"


def shipped_apis() -> dict[str, Path]:
    """The shipped files by the name of their API."""
    paths = sorted(_SHIPPED.glob("*/defs.yaml"))
    return {path.parent.name: path for path in paths if COMPONENT in path.read_text("utf-8")}


@dataclass(frozen=True)
class Project:
    """A `dg` project: its folder, the name of its code location, and the modules of its definitions
    and of its `defs` folder."""

    root: Path
    name: str
    definitions_module: str
    defs_module: str

    @property
    def sources(self) -> Path:
        """The folder from which its modules are imported."""
        nested = self.root / "src"
        package = self.defs_module.partition(".")[0]
        return nested if (nested / package).is_dir() else self.root

    @property
    def defs_folder(self) -> Path:
        """Where its `defs.yaml` files are."""
        return self.sources / self.defs_module.replace(".", "/")

    @property
    def is_shipped(self) -> bool:
        """Whether it is the project of this package."""
        return self.defs_folder.resolve() == _SHIPPED.resolve()


def find_project(directory: Path) -> Project | None:
    """The `dg` project around `directory`; None where there is none."""
    for folder in (directory, *directory.parents):
        settings = _project_settings(folder)
        if root := settings.get("root_module"):
            return Project(
                folder,
                settings.get("code_location_name", folder.name),
                settings.get("code_location_target_module", f"{root}.definitions"),
                settings.get("defs_module", f"{root}.defs"),
            )
    return None


def defs_folder(directory: Path) -> Path:
    """The `defs` folder of the `dg` project around `directory`, or else the shipped one."""
    project = find_project(directory)
    return project.defs_folder if project else _SHIPPED


def _project_settings(folder: Path) -> dict[str, Any]:
    """The settings of `folder` as a project; like Dagster, a `dg.toml` before all else."""
    own, shared = folder / "dg.toml", folder / "pyproject.toml"
    settings: dict[str, Any] = {}
    if own.exists():
        settings = tomllib.loads(own.read_text())
    elif shared.exists():
        settings = tomllib.loads(shared.read_text()).get("tool", {}).get("dg", {})
    return settings.get("project") or {}


def defs_files(directory: Path) -> list[Path]:
    """All `defs.yaml` below the `defs` folder of the project around `directory`."""
    return sorted(p for e in ("yaml", "yml") for p in defs_folder(directory).rglob(f"defs.{e}"))
