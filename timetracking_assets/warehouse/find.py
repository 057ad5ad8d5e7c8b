"""Which warehouse the settings name.

Only the choice belongs here; what a warehouse must do is in `base.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

from timetracking_assets.warehouse.base import Warehouse

DUCKDB = "duckdb"
DEFAULT_FILE = ".timetracking/warehouse.duckdb"


def destination_name() -> str:
    """dlt's name of the destination that the environment asks for: `WAREHOUSE_DESTINATION`."""
    return os.environ.get("WAREHOUSE_DESTINATION", "").strip() or DUCKDB


def find_warehouse(path: str = "", destination: str = "", lock_timeout: float = 600.0) -> Warehouse:
    """The warehouse that is named here, or by the environment where something is empty.

    `path` is the DuckDB file (`TIMETRACKING_WAREHOUSE`); other destinations keep the files of
    loads that are going on beside where it would be.
    """
    named = path or os.environ.get("TIMETRACKING_WAREHOUSE") or DEFAULT_FILE
    file = Path(named).expanduser().absolute()
    name = destination or destination_name()
    # only who uses one waits for what it imports
    if name == DUCKDB:
        from timetracking_assets.warehouse.duckdb_file import DuckDBFile

        return DuckDBFile(file, lock_timeout=lock_timeout)
    from timetracking_assets.warehouse.destination import DestinationWarehouse

    return DestinationWarehouse(name, file.parent, lock_timeout=lock_timeout)
