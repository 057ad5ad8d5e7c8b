"""Where the files of APIs are: those of the project that one stands in, else the shipped ones."""

from __future__ import annotations

import tomllib
from pathlib import Path

COMPONENT = "timetracking_assets.RestApi"
_SHIPPED = Path(__file__).parents[1] / "defs"


def shipped_apis() -> dict[str, Path]:
    """The shipped files by the name of their API."""
    return {path.parent.name: path for path in sorted(_SHIPPED.glob("*/defs.yaml"))}


def defs_folder(directory: Path) -> Path:
    """The `defs` folder of the `dg` project around `directory`, or else the shipped one."""
    for folder in (directory, *directory.parents):
        pyproject = folder / "pyproject.toml"
        if pyproject.exists():
            project = tomllib.loads(pyproject.read_text()).get("tool", {}).get("dg", {})
            settings = project.get("project", {})
            if root := settings.get("root_module"):
                module = settings.get("defs_module", f"{root}.defs").replace(".", "/")
                nested: Path = folder / "src" / module
                return nested if nested.is_dir() else folder / module
    return _SHIPPED


def defs_files(directory: Path) -> list[Path]:
    """All `defs.yaml` below the `defs` folder of the project around `directory`."""
    return sorted(p for e in ("yaml", "yml") for p in defs_folder(directory).rglob(f"defs.{e}"))
