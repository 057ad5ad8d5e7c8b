"""Findings: what counts as healthy, and that no secret is in their text."""

from __future__ import annotations

from timetracking_assets.doctor.findings import Examination, Finding


def test_an_error_is_unhealthy_and_advice_is_not() -> None:
    examination = Examination("hours")
    examination.add("entries", Finding("ok", "rows", "at `data`"), Finding("advice", "key", "?"))
    assert examination.healthy
    examination.add("people", Finding("error", "path", "HTTP 404"))
    assert not examination.healthy


def test_messages_are_masked_as_they_come() -> None:
    examination = Examination("hours", mask=lambda text: text.replace("hunter22", "***"))
    examination.add("entries", Finding("error", "status", "no hunter22 here"))
    assert "hunter22" not in str(examination.as_json())


def test_json_has_the_findings_of_the_api_apart() -> None:
    examination = Examination("hours", requests=3)
    examination.add("", Finding("ok", "reachable", "https://api.example"))
    examination.add("entries", Finding("error", "path", "HTTP 404", "# endpoint: {path: ...}"))
    assert examination.as_json() == {
        "api": "hours",
        "healthy": False,
        "requests": 3,
        "findings": [
            {"level": "ok", "topic": "reachable", "message": "https://api.example", "yaml": None}
        ],
        "resources": {
            "entries": [
                {
                    "level": "error",
                    "topic": "path",
                    "message": "HTTP 404",
                    "yaml": "# endpoint: {path: ...}",
                }
            ]
        },
    }
