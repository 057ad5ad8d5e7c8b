"""Where the files of APIs are: those of the project that one stands in, else the shipped ones."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

COMPONENT = "timetracking_assets.RestApi"
_SHIPPED = Path(__file__).parents[1] / "defs"


def shipped_apis() -> dict[str, Path]:
    """The shipped files by the name of their API."""
    return {path.parent.name: path for path in sorted(_SHIPPED.glob("*/defs.yaml"))}


def defs_folder(directory: Path) -> Path:
    """The `defs` folder of the `dg` project around `directory`, or else the shipped one."""
    for folder in (directory, *directory.parents):
        settings = _project_settings(folder)
        if root := settings.get("root_module"):
            module = settings.get("defs_module", f"{root}.defs").replace(".", "/")
            nested: Path = folder / "src" / module
            return nested if nested.is_dir() else folder / module
    return _SHIPPED


def _project_settings(folder: Path) -> dict[str, Any]:
    """What `folder` says of itself as a project; like Dagster, a `dg.toml` before all else."""
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
