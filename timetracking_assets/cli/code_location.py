"""The definitions that the commands work on: those of the project, or the shipped ones.

Importing them takes seconds: only what needs Dagster imports this module.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import dagster as dg
from dagster.components.definitions import LazyDefinitions

from timetracking_assets.cli.workspace import Workspace
from timetracking_assets.errors import cause_of
from timetracking_assets.orchestration.checks.quality_checks import ignore_own_warnings
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
from timetracking_assets.warehouse.base import Warehouse


class LoadError(Exception):
    """The code location can't be loaded; the text says why."""


def load_definitions(workspace: Workspace) -> dg.Definitions:
    """The definitions of the workspace's project. Raises LoadError."""
    with _explained(workspace):
        return _definitions_of(workspace)


def check_definitions(workspace: Workspace) -> None:
    """Refuse definitions that Dagster could not run: what is missing or defined twice.

    Raises LoadError.
    """
    with _explained(workspace):
        dg.Definitions.validate_loadable(_definitions_of(workspace))


@contextmanager
def _explained(workspace: Workspace) -> Iterator[None]:
    problem = ""
    try:
        yield
    except Exception as error:
        # Dagster's own text lists everything that it was loading, and not the cause
        problem = str(cause_of(error))
    if problem:
        name = workspace.definitions_module
        raise LoadError(f"the code location {name} can't be loaded: {problem}")


def _definitions_of(workspace: Workspace) -> dg.Definitions:
    ignore_own_warnings()
    if workspace.sources and str(workspace.sources) not in sys.path:
        sys.path.insert(0, str(workspace.sources))
    module = importlib.import_module(workspace.definitions_module)
    for value in vars(module).values():
        if isinstance(value, LazyDefinitions):
            value = value()
        if isinstance(value, dg.Definitions):
            return value
    raise ImportError("it holds no Definitions, and no function decorated with @dg.definitions")


def warehouse_of(definitions: dg.Definitions) -> Warehouse:
    """The warehouse that the definitions load into.

    Raises LoadError if its configuration is incomplete, SettingsError for an invalid setting.
    """
    resource = (definitions.resources or {}).get(WAREHOUSE)
    if not isinstance(resource, WarehouseResource):
        return WarehouseResource().open()
    problem = ""
    # with the values of the environment variables that its definition names
    initialized: AbstractContextManager[Any] = resource.process_config_and_initialize_cm()
    try:
        with initialized as configured:
            opened: Warehouse = configured.open()
            return opened
    except dg.DagsterInvalidConfigError as error:
        problem = "; ".join(item.message for item in error.errors)
    raise LoadError(f"the resource `{WAREHOUSE}` is not configured: {problem}")
