"""Fixtures of tests without a platform: servers with prepared answers, and builders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.builders import (
    MakePage,
    MakeResource,
    Resolve,
    build_api,
    build_page,
    build_resource,
    our_error,
)
from tests.support.stub_api import Stub, running_stub
from timetracking_assets.errors import IngestError


@pytest.fixture
def stub() -> Iterator[Stub]:
    """An API in one's hands; a new one: a request that an earlier test gave up may still come."""
    with running_stub(Stub()) as server:
        yield server


@pytest.fixture
def other_stub() -> Iterator[Stub]:
    """Another host."""
    with running_stub(Stub()) as server:
        yield server


@pytest.fixture(scope="session")
def resource() -> MakeResource:
    return build_resource


@pytest.fixture(scope="session")
def page() -> MakePage:
    return build_page


@pytest.fixture(scope="session")
def api() -> Resolve:
    return build_api


@pytest.fixture(scope="session")
def refusal() -> Callable[[Callable[[], Any]], IngestError]:
    """`refusal(action)`: the error of ours that it raises."""
    return our_error
