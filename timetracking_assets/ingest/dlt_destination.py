"""dlt's destination of a name, with two defects mended: its transactions and its empty files.

What the settings say is in `destination_settings.py`. Each test of an empty answer or of a failing
insert into PostgreSQL fails without this.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pyarrow.parquet as pq
from dlt.common.destination import Destination
from dlt.destinations.job_impl import FinalizedLoadJobWithFollowupJobs


def find_destination(name: str, credentials: str = "") -> Any:
    """The destination `name`, whose merge is one transaction if it has transactions at all.

    Raises what dlt raises for a name that is none.
    """
    # the layout is what `text_columns.py` counts on
    found: Any = Destination.from_reference(
        name, credentials=credentials or None, staging_dataset_name_layout="%s_staging"
    )
    known = found.capabilities()
    transactions = known.supports_transactions
    if transactions is None:
        # dlt leaves this unset for PostgreSQL: the merge's DELETE would commit before its INSERT.
        # Who has no transactions has none for the definitions of tables, either
        transactions = known.supports_ddl_transactions
    settings = {**found.caps_params, "supports_transactions": transactions}
    return _mended(type(found), found.destination_type)(**found.config_params, **settings)


def _mended(base: Any, dlt_type: str) -> Any:
    class Mended(base):  # type: ignore[misc]
        """`base`, as said above; its settings are looked for once."""

        # where dlt looks for the names of the settings
        __orig_base__ = base

        @property
        def destination_type(self) -> str:
            return dlt_type

        def capabilities(self, config: Any = None, naming: Any = None) -> Any:
            # dlt asks thirty times a load, and would search all settings each time
            return super().capabilities(config or self._found, naming)

        @cached_property
        def _found(self) -> Any:
            return self.configuration(None, accept_partial=True)

        @property
        def client_class(self) -> Any:
            return _skipping_empty_files(super().client_class)

    return Mended


def _skipping_empty_files(base: Any) -> Any:
    class Client(base):  # type: ignore[misc]
        def create_load_job(
            self, table: Any, file_path: str, load_id: str, restore: bool = False
        ) -> Any:
            # an answer without rows: there is nothing to copy, but ADBC wants a batch
            if file_path.endswith(".parquet") and not pq.read_metadata(file_path).num_rows:
                return FinalizedLoadJobWithFollowupJobs(file_path)
            return super().create_load_job(table, file_path, load_id, restore)

    return Client
