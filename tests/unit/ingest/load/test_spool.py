"""Pages that are read more than once, and what is kept of them meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.support.builders import build_page
from timetracking_assets.ingest.load.spool import PageSpool


def test_a_page_is_requested_once_and_kept_without_what_surrounds_its_rows(tmp_path: Path) -> None:
    first, second = build_page({"id": 1}), build_page({"id": 2}, {"id": 3}, number=2)
    requested = iter([replace(page, envelope={"total": 3}) for page in (first, second)])
    spool = PageSpool(requested, tmp_path)
    assert [page.envelope for page in spool] == [{"total": 3}] * 2
    again = list(spool)
    assert again == [first, second]
    assert [page.envelope for page in again] == [None, None]
    spool.close()
