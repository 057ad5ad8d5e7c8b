"""The shipped files loaded by Dagster with a component that makes nothing of them.

It shows the least that a code location of components can take: YAML with positions, the tree of
components, what the UI learns of each component type. As a process: `python -m
benchmarks.idle_component`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import dagster as dg
import dlt  # noqa: F401 - what it is compared with imports it, too
from pydantic import BaseModel, ConfigDict

PACKAGE = "timetracking_assets"
_SHIPPED = Path(__file__).parents[1] / PACKAGE / "defs"
_TYPE = re.compile(rf"^type: {PACKAGE}\.\w+$", re.MULTILINE)


class AnyAttributes(BaseModel):
    """Attributes of any name."""

    model_config = ConfigDict(extra="allow")


class IdleComponent(dg.Component):
    """Takes any attributes, and defines nothing."""

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        return AnyAttributes

    @classmethod
    def load(cls, attributes: object, context: dg.ComponentLoadContext) -> IdleComponent:
        return cls()

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions()


def load_shipped_files() -> dg.Definitions:
    """What Dagster makes of a project with the shipped files, their component an idle one."""
    # Dagster asks each installed package for its components; ours is not to answer
    sys.modules[PACKAGE] = ModuleType(PACKAGE)
    with TemporaryDirectory() as directory:
        project = Path(directory)
        for file in _SHIPPED.glob("*/defs.yaml"):
            folder = project / "idle" / "defs" / file.parent.name
            folder.mkdir(parents=True)
            idle = f"type: {__spec__.name}.IdleComponent"
            (folder / "defs.yaml").write_text(_TYPE.sub(idle, file.read_text()))
        (project / "dg.toml").write_text(
            'directory_type = "project"\n[project]\nroot_module = "idle"\n'
        )
        sys.path.insert(0, directory)
        return dg.load_from_defs_folder(path_within_project=project)


if __name__ == "__main__":
    load_shipped_files()
