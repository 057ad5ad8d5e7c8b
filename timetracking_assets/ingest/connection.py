"""An API with the values of its variables: what it takes to send requests to it.

Which values are acceptable is in `variable_values.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from timetracking_assets.errors import SettingsError, SpecError
from timetracking_assets.ingest.variable_values import check_values
from timetracking_assets.redaction import Redactor, mask_logs
from timetracking_assets.spec.api import Api, Parent, Resource
from timetracking_assets.spec.model import RetrySpec
from timetracking_assets.spec.variables import (
    credential_variables,
    require,
    substitute,
    variable_names,
)

ParentRows = Sequence[Mapping[str, Any]]


class Connection:
    """An API's specification with the values of its variables.

    Raises SettingsError for variables that are unset or blank, or whose value no request can carry.
    """

    def __init__(self, api: Api, values: Mapping[str, str]) -> None:
        require(api.variables, values, api.name)
        self.api = api
        self._values = {name: values[name].strip() for name in api.variables}
        check_values(api, self._values)
        self.client: dict[str, Any] = substitute(api.client, self._values)
        url = urlsplit(self.client["base_url"])
        in_url = [unquote(part) for part in (url.username, url.password) if part]
        self.redactor = Redactor(
            [*(self._values[name] for name in api.secret_variables), *in_url],
            [self._values[name] for name in credential_variables(api.client, api.endpoints)],
        )
        mask_logs(self.redactor)

    def with_retry(self, retry: RetrySpec) -> Connection:
        """The same, but for how failed requests are repeated."""
        return Connection(replace(self.api, retry=retry), self._values)

    def bound(self, resource: Resource) -> Resource:
        """`resource` with the values of the variables in its endpoint."""
        return resource.model_copy(update={"endpoint": substitute(resource.endpoint, self._values)})

    def configured_ids(self, parent: Parent, resource: Resource) -> ParentRows:
        """The ids of `ids` that a fan-out over `configured` uses, one row each."""
        names = {name for name in parent.fields if name in self.api.ids}
        if len(names) > 1:
            listed = ", ".join(sorted(names))
            raise SpecError((), f"{resource.label}: a path takes one configured id, not {listed}")
        [name] = names
        values = re.split(r"[,;\s]+", substitute(self.api.ids[name], self._values))
        ids = list(dict.fromkeys(v for v in values if v))
        column = resource.columns.get(f"_{parent.name}_{name}")
        if column is None or column.data_type != "bigint":
            return [{name: value} for value in ids]
        wrong = [value for value in ids if not value.isdecimal()]
        if wrong:
            [variable] = variable_names(self.api.ids[name])
            raise SettingsError(f"{resource.label}: {variable} holds {wrong[0]!r}, not a number")
        return [{name: int(value)} for value in ids]
