"""A message about a row never shows a credential that the row holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from timetracking_assets.errors import TypeMismatchError
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.spec.api import Api
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

if TYPE_CHECKING:
    from tests.support.stub_api import Stub

KEY = "Ab+cd/ef&gh12345"


@pytest.mark.duckdb_only(reason="one warehouse shows it")
@pytest.mark.parametrize("spelled", [KEY, KEY.replace("&", "\\u0026").replace("/", "\\/")])
def test_a_value_that_does_not_fit(
    api: Callable[..., Api], stub: Stub, tmp_path: Path, spelled: str
) -> None:
    body = '{"data": [{"id": 1, "n": 5}, {"id": 2, "n": "KEY"}]}'.replace("KEY", spelled)
    stub.answers = [(200, {}, body.encode())]
    resolved = api(
        {
            "name": "entries",
            "endpoint": {"path": "x"},
            "columns": {"n": {"data_type": "bigint"}},
        },
        client={"base_url": "${BASE_URL}", "auth": {"type": "bearer", "token": "${KEY}"}},
    )
    connection = Connection(resolved, {"BASE_URL": stub.url, "KEY": KEY})
    request = LoadRequest(connection, resolved.resources["entries"])
    with pytest.raises(TypeMismatchError, match=r"a row holds .*\*\*\*") as refused:
        run_load(request, DuckDBFile(tmp_path / "warehouse.duckdb"))
    assert KEY not in str(refused.value)
    assert spelled not in str(refused.value)
