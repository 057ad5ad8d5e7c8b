"""Parameters as JSON writes them, in the form that requests sends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import requests

from timetracking_assets.ingest.http.parameters import as_json


@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        ({"a": True, "b": False}, "a=true&b=false"),
        ({"a": 1, "b": 1.5}, "a=1&b=1.5"),
        ({"a": None, "b": "x"}, "b=x"),
        ({"a": [1, True, "x"]}, "a=1&a=true&a=x"),
        ({"a": {"b": "ü"}}, "a=%7B%22b%22%3A%22%C3%BC%22%7D"),
        ({"a": date(2026, 2, 3)}, "a=2026-02-03"),
        ([("a", True), ("a", 2)], "a=true&a=2"),
        ("a=True", "a=True"),
        (None, ""),
    ],
)
def test_what_is_sent(parameters: Any, query: str) -> None:
    url = requests.Request("GET", "http://api.example/", params=as_json(parameters)).prepare().url
    assert (url or "").partition("?")[2] == query
