"""A dlt destination that isn't the embedded one: its settings, its SQL, and two defects fixed.

Names and values of settings are dlt's (`DESTINATION__<NAME>__CREDENTIALS`, `secrets.toml`). We
write SQL in what DuckDB and PostgreSQL have in common; sqlglot, which dlt translates with, does
the rest. What is done with the destination is in `destination.py`.
"""

from __future__ import annotations

import logging
import os
import re
from functools import cached_property
from typing import Any

import dlt
import pyarrow.parquet as pq
import sqlglot
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.configuration.specs.base_configuration import is_secret_hint
from dlt.common.destination import Destination
from dlt.destinations.job_impl import FinalizedLoadJobWithFollowupJobs
from sqlglot import expressions

from timetracking_assets.errors import WarehouseError
from timetracking_assets.redaction import Redactor, mask_logs
from timetracking_assets.warehouse.base import MergeSql
from timetracking_assets.warehouse.merge_job import with_merge

_OURS = re.compile(r"(DESTINATION__|CREDENTIALS).*")
_SECRET = re.compile(r"CREDENTIALS|PASSWORD|SECRET|TOKEN|KEY")
_IN_URL = re.compile(r":([^:@/]+)@")


class DestinationSettings:
    """dlt's destination `name`, with what its settings say now."""

    def __init__(self, name: str, credentials: str = "") -> None:
        self._name, self._credentials = name, credentials

    @cached_property
    def factory(self) -> Any:
        """The dlt destination. Raises WarehouseError for a name that dlt doesn't know."""
        problem = ""
        try:
            factory = find_destination(self._name, self._credentials)
        except Exception as error:
            problem = self.masked_message(error)
        if problem:
            raise WarehouseError(
                f"WAREHOUSE_DESTINATION is {self._name!r}, which dlt can't use: {problem}. It "
                "takes the name of one of dlt's SQL destinations, such as duckdb or postgres."
            )
        return factory

    @cached_property
    def capabilities(self) -> Any:
        """What the destination can do, by dlt."""
        return self.factory.capabilities()

    def client(self, dataset: str) -> Any:
        """dlt's client. Raises WarehouseError if its settings or its driver are missing."""
        destination, problem = self.factory, ""
        try:
            client: Any = dlt.dataset(
                destination, dataset, schema=dlt.Schema(dataset)
            ).destination_client
        except ConfigFieldMissingException as error:
            problem = f"lacks {', '.join(error.fields)}"
        except ImportError as error:
            problem = f"lacks its driver ({self.masked_message(error)}); install {self._extra()}"
        except Exception as error:
            problem = f"refuses its settings: {self.masked_message(error)}"
        if problem:
            raise WarehouseError(
                f"the warehouse's destination {self._name} {problem}. {self.advice}"
            )
        self._refuse_unfit(client)
        return client

    def _refuse_unfit(self, client: Any) -> None:
        able = self.capabilities
        strategies, formats = able.supported_merge_strategies, able.supported_loader_file_formats
        if able.loader_file_format_selector:
            _, formats = able.loader_file_format_selector(
                able.preferred_loader_file_format, formats, table_schema={"name": self._name}
            )
        problem = ""
        if not hasattr(client, "sql_client") or "delete-insert" not in (strategies or ()):
            problem = "can't merge rows (delete-insert): take one of dlt's SQL destinations"
        elif "parquet" not in formats:
            problem = f"takes no Parquet files as it is installed: install {self._extra()}"
        if problem:
            raise WarehouseError(f"the warehouse's destination {self._name} {problem}.")

    def _extra(self) -> str:
        if self.is_postgres:
            return "timetracking-assets[postgres]"
        return f"what dlt's documentation of {self._name} names, with its ADBC driver if it has one"

    @property
    def advice(self) -> str:
        """What to do about settings that are missing or wrong."""
        variable = f"DESTINATION__{self._name.upper()}__CREDENTIALS"
        example = "postgresql://user:password@host:5432/database" if self.is_postgres else "..."
        return f"Check dlt's setting for it, the environment variable {variable} ({example})."

    @property
    def is_postgres(self) -> bool:
        """Whether it is PostgreSQL, by whatever name."""
        return str(self.factory.destination_type).endswith(".postgres")

    @cached_property
    def redactor(self) -> Redactor:
        """Masks the destination's credentials."""
        values = [self._credentials] if self._credentials else []
        values += [v for n, v in os.environ.items() if _OURS.match(n) and _SECRET.search(n)]
        # a connection string that dlt can't read may hold a password all the same
        secrets = {*values, *(p for v in values for p in _IN_URL.findall(v))}
        try:
            config = self.factory.configuration(None, accept_partial=True)
            fields = config.credentials.get_resolvable_fields()
            secrets |= {str(config.credentials[n]) for n, h in fields.items() if is_secret_hint(h)}
        except Exception:
            logging.getLogger(__name__).debug("no credentials to mask", exc_info=False)
        redactor = Redactor(secrets - {"None"})
        mask_logs(redactor)
        return redactor

    def masked_message(self, error: BaseException) -> str:
        """An error's message in one line, its secrets masked."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return self.redactor(" ".join(lines))[:400].rstrip(".")

    @property
    def location(self) -> str:
        """Where it is, for people: without credentials."""
        try:
            where = str(self.factory.configuration(None, accept_partial=True))
        except TypeError:
            # DuckLake's has no text as long as its settings are incomplete
            return self._name
        return self.redactor(f"{self._name} ({where})")


def find_destination(name: str, credentials: str = "", merge: MergeSql | None = None) -> Any:
    """The destination `name`, whose merge is one transaction if it has transactions at all.

    Raises what dlt raises for a name that it doesn't know.
    """
    # the layout is what `staging_dataset` says
    factory: Any = Destination.from_reference(
        name, credentials=credentials or None, staging_dataset_name_layout="%s_staging"
    )
    known = factory.capabilities()
    transactions = known.supports_transactions
    if transactions is None:
        # dlt leaves this unset for PostgreSQL: the merge's DELETE would commit before its INSERT.
        # Who has no transactions has none for the definitions of tables, either
        transactions = known.supports_ddl_transactions
    settings = {**factory.caps_params, "supports_transactions": transactions}
    fixed = _fixed(type(factory), factory.destination_type, merge)
    return fixed(**factory.config_params, **settings)


def _fixed(base: Any, dlt_type: str, merge: MergeSql | None) -> Any:
    class Fixed(base):  # type: ignore[misc]
        """`base` with the transaction and the merge; its settings are looked up once."""

        # where dlt looks for the names of the settings
        __orig_base__ = base

        @property
        def destination_type(self) -> str:
            return dlt_type

        def capabilities(self, config: Any = None, naming: Any = None) -> Any:
            # dlt asks thirty times a load, and would search all settings each time
            return super().capabilities(config or self._configuration, naming)

        @cached_property
        def _configuration(self) -> Any:
            return self.configuration(None, accept_partial=True)

        @property
        def client_class(self) -> Any:
            return with_merge(_skipping_empty_files(super().client_class), merge)

    return Fixed


def _skipping_empty_files(base: Any) -> Any:
    class Client(base):  # type: ignore[misc]
        def create_load_job(
            self, table: Any, file_path: str, load_id: str, restore: bool = False
        ) -> Any:
            # an answer without rows: there is nothing to copy, but ADBC needs a batch
            if file_path.endswith(".parquet") and not pq.read_metadata(file_path).num_rows:
                return FinalizedLoadJobWithFollowupJobs(file_path)
            return super().create_load_job(table, file_path, load_id, restore)

    return Client


STAGING_TABLE = "{staging_table}"
"""What dlt replaces by a table's name; it stays as it is."""
_STAND_IN = "__staging_table__"


def in_dialect(sql: str, capabilities: Any) -> str:
    """`sql` for a destination with dlt's `capabilities`; quoted names get the case it stores."""

    def stored(node: expressions.Expression) -> expressions.Expression:
        if isinstance(node, expressions.Identifier) and node.args.get("quoted"):
            node.set("this", capabilities.casefold_identifier(node.this))
        return node

    parsed = sqlglot.parse_one(sql.replace(STAGING_TABLE, _STAND_IN), read="duckdb")
    written = parsed.transform(stored).sql(dialect=capabilities.sqlglot_dialect)
    return written.replace(_STAND_IN, STAGING_TABLE)
