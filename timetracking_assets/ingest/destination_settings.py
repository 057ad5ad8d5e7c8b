"""The settings of a dlt destination that isn't the embedded one: found, judged and kept secret.

Names and values are dlt's (`DESTINATION__<NAME>__CREDENTIALS`, `secrets.toml`); what is done with
the destination is in `destination.py`.
"""

from __future__ import annotations

import logging
import os
import re
from functools import cached_property
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.configuration.specs.base_configuration import is_secret_hint

from timetracking_assets.errors import WarehouseError
from timetracking_assets.ingest.dlt_destination import find_destination
from timetracking_assets.redaction import Redactor, mask_logs

_OURS = re.compile(r"(DESTINATION__|CREDENTIALS).*")
_SECRET = re.compile(r"CREDENTIALS|PASSWORD|SECRET|TOKEN|KEY")
_IN_URL = re.compile(r":([^:@/]+)@")


class DestinationSettings:
    """dlt's destination `name`, with what its settings say now."""

    def __init__(self, name: str, credentials: str = "") -> None:
        self._name, self._credentials = name, credentials

    @cached_property
    def factory(self) -> Any:
        """The dlt destination. Raises WarehouseError for a name that is none."""
        problem = ""
        try:
            found = find_destination(self._name, self._credentials)
        except Exception as error:
            problem = self.told(error)
        if problem:
            raise WarehouseError(
                f"WAREHOUSE_DESTINATION is {self._name!r}, which dlt can't use: {problem}. It "
                "takes the name of one of dlt's SQL destinations, such as duckdb or postgres."
            )
        return found

    @cached_property
    def capabilities(self) -> Any:
        """What dlt says that the destination can do."""
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
            problem = f"lacks its driver ({self.told(error)}); install {self._extra()}"
        except Exception as error:
            problem = f"refuses its settings: {self.told(error)}"
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

    def told(self, error: BaseException) -> str:
        """What an error says, in one line and masked."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return self.redactor(" ".join(lines))[:400].rstrip(".")

    @property
    def location(self) -> str:
        """Where it is, for people: without credentials."""
        return self.redactor(
            f"{self._name} ({self.factory.configuration(None, accept_partial=True)})"
        )
