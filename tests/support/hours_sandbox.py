"""The raw tables that the model of hours reads, loaded from the sandbox as it was on one day."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import PARTITIONED_APIS, clean_environment
from tests.support.hours import World
from timetracking_assets.component import load_project
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.testing.bench import everything
from timetracking_assets.warehouse.base import Warehouse

TODAY = date(2026, 11, 25)
FIRST_DAY = "2025-11-01"
SPEC: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "precedence": {"absences": ["resource_management", "project_management"]},
    "identity": {
        "people": {
            "yuki.tanabe@studio.example": {"resource_management": [1510]},
            "amara.okafor@studio.example": {"time_tracking": [11], "project_management": [61]},
            "jonas.weidmann@studio.example": {"time_tracking": [12], "project_management": [62]},
            "zoe.angstrom@studio.example": {"time_tracking": [13], "project_management": [63]},
            "mateus.carvalho@studio.example": {"time_tracking": [14], "project_management": [64]},
            "lea.fournier@studio.example": {"time_tracking": [15], "project_management": [65]},
            "piotr.zurawski@studio.example": {"project_management": [66]},
            "hana.kovarova@studio.example": {"project_management": [67]},
            "tomas.ibanez@studio.example": {"project_management": [68]},
        }
    },
}


@dataclass(frozen=True)
class Loaded:
    """All raw tables that the model reads, of the sandbox as it was on `TODAY`."""

    warehouse: Warehouse

    def world(self, **spec: Any) -> World:
        """The model over them; `spec` says what differs from `SPEC`."""
        apis = load_project(Path.cwd())
        return World.of(self.warehouse, *apis, **{**SPEC, **spec})


@contextmanager
def loaded_sandbox(warehouse: Warehouse, **data: Any) -> Iterator[Loaded]:
    """Load them; `data` is what the server takes. Inside, the environment has its settings."""
    loaded = Loaded(warehouse)
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ).difference(clean_environment()):
            patch.delenv(name)
        for api in PARTITIONED_APIS:
            patch.setenv(f"{api}_START", FIRST_DAY)
        with SandboxServer(today=TODAY, **data) as server:
            model = loaded.world().model
            for api, name in model.all_raw_tables():
                resource = model.apis[api].resources[name]
                connection = Connection(model.apis[api], server.environment)
                run_load(LoadRequest(connection, resource, everything(resource)), warehouse)
        yield loaded
