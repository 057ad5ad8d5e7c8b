"""An examination in the terminal: the API first, what is well in one line, YAML to copy."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from timetracking_assets.doctor.findings import Examination, Finding
from timetracking_assets.doctor.report import print_examination


def test_findings_in_order_with_their_yaml() -> None:
    examination = Examination("hours", requests=2)
    examination.add(
        "entries",
        Finding("ok", "permission", "HTTP 200"),
        Finding("error", "rows", "nothing at [bold]`data`", "endpoint: {path: b}\npage_size: 1"),
        Finding("ok", "key", "id"),
    )
    examination.add("", Finding("ok", "reachable", "https://api.example"))
    out = StringIO()
    print_examination(Console(file=out, width=60), examination)
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines == [
        "hours (2 requests)",
        "ok reachable: https://api.example",
        "entries",
        "ok permission: HTTP 200; key: id",
        # an API's own words are text, not markup
        "error rows: nothing at [bold]`data`",
        "endpoint: {path: b}",
        "page_size: 1",
    ]
