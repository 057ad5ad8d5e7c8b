"""Dagster resources: the settings and secrets of each API, and the warehouse.

Values are read when a run asks for them, never at import, and never become part of run config.
"""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
from pydantic import Field

from timetracking_assets.ingest.api import Api
from timetracking_assets.ingest.source import Connection
from timetracking_assets.ingest.warehouse import Warehouse

DEFAULT_WAREHOUSE = ".timetracking/warehouse.duckdb"


class ApiResource(dg.ConfigurableResource[None]):
    """The environment variables of one API: its base URL, ids and secrets.

    It holds their names; `connect` reads their values and raises SettingsError that names all which
    are missing.
    """

    variables: list[str] = Field(description="environment variables that the API needs")

    def connect(self, api: Api) -> Connection:
        """The API with the variables' present values."""
        return Connection(api, {name: os.environ.get(name, "") for name in self.variables})


class WarehouseResource(dg.ConfigurableResource[None]):
    """Where tables are: one DuckDB file."""

    path: str = Field(
        default="",
        description="the DuckDB file; if empty, the environment variable TIMETRACKING_WAREHOUSE, "
        f"else {DEFAULT_WAREHOUSE} in the working directory",
    )
    lock_timeout: float = Field(
        default=600, gt=0, description="seconds to wait while another run loads into the file"
    )

    def open(self) -> Warehouse:
        """The warehouse; nothing is made or opened yet."""
        path = self.path or os.environ.get("TIMETRACKING_WAREHOUSE") or DEFAULT_WAREHOUSE
        return Warehouse(Path(path).expanduser().absolute(), self.lock_timeout)
