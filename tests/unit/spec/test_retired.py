"""A key of an older version is refused with what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from timetracking_assets.spec.retired import retired_key


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            {"date": "began", "end": "ended", "project": "project_id"},
            "`unified: {time_entries: {id: id, start: began, end: ended, project: project_id}}`",
        ),
        ({"date": "day", "hours": "length"}, "id: id, day: day, hours: length}}` (`start` instead"),
        (None, "leave it out"),
    ],
)
def test_hours(value: Any, words: str) -> None:
    message = retired_key(("resources", 3, "hours"), value)
    assert message is not None
    assert message.startswith("is no longer a key: ")
    assert words in message


@pytest.mark.parametrize("path", [("hours",), ("resources", 0, "hour"), ("client", "hours")])
def test_other_keys_are_unknown_ones(path: tuple[str | int, ...]) -> None:
    assert retired_key(path, {}) is None
