"""dlt's DuckDB destination for a file that is open already.

dlt would open the file by itself several times a load. Opening and locking it is in
`duckdb_file.py`.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

import dlt
import duckdb
from dlt.destinations.impl.duckdb.configuration import DuckDbConnectionPool

from timetracking_assets.warehouse.base import MergeSql, quoted
from timetracking_assets.warehouse.merge_job import with_merge


class DuckDBDestination(dlt.destinations.duckdb):
    """dlt's destination for the file `path`, the `database` of an open connection; until it is
    closed.

    dlt asks for its capabilities, which don't depend on any setting, more than twenty times a load,
    for a client of it another ten times, and would look up all settings each time. `settings`
    keeps those of each pipeline.
    """

    def __init__(
        self,
        path: Path,
        connection: duckdb.DuckDBPyConnection,
        database: str,
        merge: MergeSql | None,
        settings: dict[str, Any],
    ) -> None:
        # dlt leaves this unset for DuckDB: the merge's DELETE would commit before its INSERT
        super().__init__(str(path), supports_transactions=True)
        self._database, self._merge, self._settings = database, merge, settings
        # dlt changes settings of the connection that it is given
        self._session: duckdb.DuckDBPyConnection | None = connection.cursor()
        self._sessions: _Sessions | None = None

    def close(self) -> None:
        """End dlt's sessions, and forget them: dlt keeps the destination."""
        if self._sessions:
            self._sessions.close()
        if self._session:
            self._session.close()
        self._session = self._sessions = None

    @property
    def destination_type(self) -> str:
        """dlt's own, which it notes of the pipeline."""
        return "dlt.destinations.duckdb"

    def capabilities(self, config: Any = None, naming: Any = None) -> Any:
        """What DuckDB can do, by dlt."""
        return super().capabilities(config or self.spec(), naming)

    def configuration(self, initial_config: Any, accept_partial: bool = False) -> Any:
        """The settings of one client."""
        if initial_config is None or accept_partial or initial_config.is_resolved():
            return super().configuration(initial_config, accept_partial)
        pipeline = dlt.current.pipeline().pipeline_name
        if pipeline not in self._settings:
            self._settings[pipeline] = super().configuration(initial_config).copy()
        config = self._settings[pipeline].copy()
        config.dataset_name = initial_config.dataset_name
        config.default_schema_name = initial_config.default_schema_name
        config.credentials.parse_native_representation(self._session)
        config.credentials.resolve()
        self._sessions = self._sessions or _Sessions(config.credentials, self._database)
        config.credentials.conn_pool = self._sessions
        config.resolve()
        return config

    @property
    def client_class(self) -> Any:
        """dlt's client, which merges as `merge` says."""
        return with_merge(super().client_class, self._merge)


class _Sessions(DuckDbConnectionPool):
    """Sessions in one database. What holds for all of them is set when the first is made."""

    def __init__(self, credentials: Any, database: str) -> None:
        super().__init__(credentials)
        self._database = quoted(database)
        self._first: duckdb.DuckDBPyConnection | None = None
        self._making = Lock()

    def borrow_conn(
        self, global_config: Any = None, local_config: Any = None, pragmas: Any = None
    ) -> duckdb.DuckDBPyConnection:
        """A session, to be returned."""
        # dlt would set a schema, which may not exist yet
        local_config = {**(local_config or {}), "search_path": self._database}
        with self._making:
            # as long as one is borrowed, dlt does not set again what holds for all
            self._first = self._first or super().borrow_conn(global_config, local_config, pragmas)
        return super().borrow_conn({}, local_config)

    def close(self) -> None:
        """Return the one that was kept."""
        if self._first is not None:
            self.return_conn(self._first)
