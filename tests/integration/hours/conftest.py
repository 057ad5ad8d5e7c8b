from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours_sandbox import Loaded, loaded_sandbox


@pytest.fixture(scope="module")
def loaded(
    new_warehouse: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    with loaded_sandbox(new_warehouse(tmp_path_factory.mktemp("hours"))) as found:
        yield found
