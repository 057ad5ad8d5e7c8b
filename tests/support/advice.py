"""The YAML of every finding that a test makes the doctor give, pasted into a file: does it load?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from timetracking_assets.doctor.findings import Finding
from timetracking_assets.files.models import mistakes_of_shape
from timetracking_assets.ingest.pages.grammar import grammar_mistakes
from timetracking_assets.spec.model import ResourceSpec


def pasted(text: str) -> dict[str, Any]:
    """The attributes of a file that extends another, with the YAML of a finding pasted in."""
    given = yaml.safe_load(text) or {}
    own = {key: value for key, value in given.items() if key in ResourceSpec.model_fields}
    of_api = {key: value for key, value in given.items() if key not in own}
    return {
        "name": "mine",
        "extends": "time_tracking",
        "resources": [{"name": "entries", **own}],
        **of_api,
    }


@contextmanager
def all_advice_loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check the YAML of all findings that are made within the block."""
    texts: list[str] = []
    make = Finding.__init__

    def recorded(self: Finding, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        if self.yaml:
            texts.append(self.yaml)

    monkeypatch.setattr(Finding, "__init__", recorded)
    yield
    for text in texts:
        attributes = pasted(text)
        mistakes = [*mistakes_of_shape(attributes), *grammar_mistakes(attributes)]
        assert not mistakes, (text, [(each.path, each.message) for each in mistakes])
