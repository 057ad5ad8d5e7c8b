"""Requests are counted where they are made: a load's report agrees with the server's log.

In every way of paging, with faults, and with the reading that confirms what a load removes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.integration.ingest.pages import test_paginators as paging
from tests.support.vendors import Answer, RefusalError, Vendor, running_vendor
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadReport, LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.orchestration.checks.load_facts import load_metadata
from timetracking_assets.spec.resolve import resolve
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

if TYPE_CHECKING:
    from tests.support.vendors import Request

PAGES = 3
FAULTS = {1: 503, 6: 429, 7: 307}
"""What a request is answered with, by its number: the first is of the first reading, the others of
the second, if there is one. A redirect is no retry."""
WITHOUT_A_SECOND = {"object": "is one page", "offset": "states its rows"}


@pytest.mark.parametrize("way", paging.WAYS)
def test_report_agrees_with_the_log(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paginator, keys, in_vain = paging.WAYS[way]
    ours = {key: value for key, value in keys.items() if key in ("page_size", "repeated_page")}
    endpoint = {"path": way, "paginator": paginator, "data_selector": "$"}
    endpoint |= {key: value for key, value in keys.items() if key not in ours}
    api = resolve(
        {
            "name": "paged",
            "client": {"base_url": "${URL}"},
            "retry": {"backoff_factor": 0},
            "resources": [{"name": "rows", "primary_key": "id", "endpoint": endpoint, **ours}],
        }
    )
    faults: dict[int, int] = {}

    def answer(vendor: Vendor, request: Request) -> Answer:
        status = faults.pop(len(vendor.requests), 200)
        if status == 307:
            same = f"{request.path}?{urlencode(request.query)}"
            return Answer(None, {"Location": same}, status)
        if status != 200:
            raise RefusalError(status, "a fault", {"Retry-After": "0"})
        return Answer(*paging.answer(request))

    with running_vendor(Vendor(answer, {})) as vendor:

        def load() -> LoadReport:
            vendor.requests.clear()
            request = LoadRequest(Connection(api, {"URL": vendor.url}), api.resources["rows"])
            report = run_load(request, DuckDBFile(tmp_path / "warehouse.duckdb"))
            counted = report.requests.requests
            assert counted == len(vendor.requests) == load_metadata(report)["requests"]
            return report

        pages = 1 if way == "object" else PAGES
        assert load().requests.requests == pages + in_vain
        monkeypatch.setattr(paging, "ROWS", paging.ROWS[1:])
        faults |= FAULTS
        report = load()
    first = pages + in_vain + 1
    second = 0 if way in WITHOUT_A_SECOND else pages + in_vain + 2
    assert report.requests.requests == first + second
    assert report.confirmation_requests == second
    assert report.requests.retries == (2 if second else 1)
    assert report.changes.deleted == (0 if way == "object" else 1)
