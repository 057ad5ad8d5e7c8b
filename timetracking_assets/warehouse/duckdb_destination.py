"""dlt's DuckDB destination for a file that is open already.

dlt would open the file by itself several times a load. Opening and locking it is in
`duckdb_file.py`.
"""

from __future__ import annotations

from typing import Any

import dlt
import duckdb
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from timetracking_assets.warehouse.base import MergeSql
from timetracking_assets.warehouse.merge_job import with_merge


class DuckDBDestination(dlt.destinations.duckdb):
    """dlt's destination for the `database` of an open session; its settings are looked up once.

    dlt asks for its capabilities, which don't depend on them, more than twenty times a load, for a
    client of it another five times, and resolves a whole configuration each time. `session` is for
    dlt alone, which changes its settings; to close it is up to the caller.
    """

    def __init__(
        self, session: duckdb.DuckDBPyConnection, database: str, merge: MergeSql | None = None
    ) -> None:
        # dlt leaves this unset for DuckDB: the merge's DELETE would commit before its INSERT
        super().__init__(session, supports_transactions=True)
        self._database, self._merge = database, merge
        self._resolved: Any = None

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
        if self._resolved is None:
            self._resolved = super().configuration(initial_config).copy()
        config = self._resolved.copy()
        config.dataset_name = initial_config.dataset_name
        config.default_schema_name = initial_config.default_schema_name
        # each client has a pool of sessions of its own
        config.credentials.resolve()
        config.resolve()
        return config

    @property
    def client_class(self) -> Any:
        """dlt's client, which names the database in its statements, and merges as `merge` says."""
        return with_merge(_in_database(super().client_class, self._database), self._merge)


def _in_database(base: Any, database: str) -> Any:
    class SqlClient(DuckDbSqlClient):
        def catalog_name(self, quote: bool = True, casefold: bool = True) -> str:
            return self.capabilities.escape_identifier(database) if quote else database

    class Client(base):  # type: ignore[misc]
        sql_client: Any

        def __init__(self, schema: Any, config: Any, capabilities: Any) -> None:
            super().__init__(schema, config, capabilities)
            datasets = self.sql_client.dataset_name, self.sql_client.staging_dataset_name
            self.sql_client = SqlClient(*datasets, config.credentials, capabilities)

    return Client
