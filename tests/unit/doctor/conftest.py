"""Whatever the doctor suggests in a test, pasted into a file, loads."""

from collections.abc import Iterator

import pytest

from tests.support.advice import all_advice_loads


@pytest.fixture(autouse=True)
def _advice_loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with all_advice_loads(monkeypatch):
        yield
