"""Dagster resources: the settings and secrets of each API, and the warehouse.

Values are read when a run needs them, never at import, and never become part of run config.
"""

from __future__ import annotations

import os

import dagster as dg
from pydantic import Field, PrivateAttr

from timetracking_assets.errors import IngestError, SettingsError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.spec.api import Api
from timetracking_assets.warehouse.base import Warehouse
from timetracking_assets.warehouse.find import DEFAULT_FILE, find_warehouse

WAREHOUSE = "warehouse"
"""Key of the Dagster resource that every asset needs beside its API's own."""

AFTER_EACH_RUN, ON_DEMAND = "after_each_run", "on_demand"


class ApiResource(dg.ConfigurableResource[None]):
    """The environment variables of one API: its base URL, ids and secrets.

    It holds their names; `connect` reads their values, and raises SettingsError with the names of
    all that are missing.
    """

    variables: list[str] = Field(description="environment variables that the API needs")

    def connect(self, api: Api) -> Connection:
        """The API with the current values of its variables."""
        return Connection(api, {name: os.environ.get(name, "") for name in self.variables})


class WarehouseResource(dg.ConfigurableResource[None]):
    """Where tables are: one DuckDB file, or another of dlt's SQL destinations."""

    destination: str = Field(
        default="",
        description="dlt's name of the destination; if empty, the environment variable "
        "WAREHOUSE_DESTINATION, else duckdb. Its credentials are dlt's own settings",
    )
    path: str = Field(
        default="",
        description="the DuckDB file; if empty, the environment variable TIMETRACKING_WAREHOUSE, "
        f"else {DEFAULT_FILE} in the working directory",
    )
    lock_timeout: float = Field(
        default=600, gt=0, description="seconds to wait while another run loads"
    )
    publish: str = Field(
        default="",
        description="when the copy for readers is replaced: `after_each_run` (that has changed "
        "something) or `on_demand` (`timetracking publish`); if empty, the environment variable "
        "TIMETRACKING_PUBLISH, else after each run; for DuckDB alone",
    )
    _changed: bool = PrivateAttr(default=False)

    def note_changes(self) -> None:
        """To be called by a load that has changed a table: the copy for readers is outdated."""
        self._changed = True

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Publish at the end of a run that has changed something; never fails a load."""
        if self._changed and self._publishes_after_each_run():
            try:
                run = f" after run {context.run.run_id}" if context.run else ""
                self.open().publish(f"publishing{run}")
            except IngestError as error:
                if context.log:
                    context.log.warning(str(error))
        self._changed = False

    def _publishes_after_each_run(self) -> bool:
        choice = self.publish or os.environ.get("TIMETRACKING_PUBLISH") or AFTER_EACH_RUN
        if choice not in (AFTER_EACH_RUN, ON_DEMAND):
            raise SettingsError(
                f"TIMETRACKING_PUBLISH is {choice!r}; it takes {AFTER_EACH_RUN} or {ON_DEMAND}"
            )
        return choice == AFTER_EACH_RUN

    def open(self) -> Warehouse:
        """The warehouse, not opened yet. Raises SettingsError for an invalid setting."""
        self._publishes_after_each_run()
        return find_warehouse(self.path, self.destination, self.lock_timeout)

    def open_for(self, instance: dg.DagsterInstance) -> Warehouse:
        """The warehouse for a run of `instance`.

        Raises SettingsError also where runs may be on several machines and the warehouse, or its
        lock, is on one.
        """
        warehouse = self.open()
        if runs_elsewhere(instance) and not warehouse.is_shared:
            raise SettingsError(
                f"runs are started by {type(instance.run_launcher).__name__}, on whatever machine, "
                f"but {warehouse} keeps loads apart by a file of one machine. Set "
                "WAREHOUSE_DESTINATION=postgres, or run on one machine without that launcher."
            )
        return warehouse


def runs_elsewhere(instance: dg.DagsterInstance) -> bool:
    """Whether runs may be on other machines: their launcher is not one of Dagster's core, which
    start processes of the machine that they are on."""
    return type(instance.run_launcher).__module__.partition(".")[0] != "dagster"
