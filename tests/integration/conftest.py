"""Servers of vendors, and the variables that connect them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.vendors import Answer, Request, Serve, Vendor, build_vendors, running_vendor


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a function from a request to a body and headers."""
    with ExitStack() as running:

        def serve(answer: Callable[[Request], tuple[Any, dict[str, str]]]) -> Vendor:
            vendor = Vendor(lambda _, request: Answer(*answer(request)), {})
            return running.enter_context(running_vendor(vendor))

        yield serve


@pytest.fixture
def vendors() -> Iterator[Mapping[str, Vendor]]:
    """The five vendors, each with a server of its own."""
    with ExitStack() as running:
        yield {
            name: running.enter_context(running_vendor(vendor))
            for name, vendor in build_vendors().items()
        }


@pytest.fixture
def vendor_settings(
    vendors: Mapping[str, Vendor], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The variables of all five, set."""
    values: dict[str, str] = {}
    for name, vendor in vendors.items():
        values[f"{name.upper()}_BASE_URL"] = vendor.url
    values |= {
        "SECOND_TIME_TRACKING_API_KEY": "secret-token-1",
        "SECOND_PROJECT_MANAGEMENT_API_TOKEN": "secret-token-2",
        "SECOND_PROJECT_MANAGEMENT_ACCOUNT": "acme-42",
        "SECOND_WORKSPACE_TIME_API_TOKEN": "secret-token-3",
        "SECOND_WORKSPACE_TIME_WORKSPACE_IDS": "1; 2\n3",
        "SECOND_RESOURCE_MANAGEMENT_API_TOKEN": "secret-token-4",
        "SECOND_RESOURCE_MANAGEMENT_CLIENT": "acme/1.0 (data@acme.example)",
        "SECOND_TIME_ANALYTICS_CLIENT_ID": "client-5",
        "SECOND_TIME_ANALYTICS_CLIENT_SECRET": "secret-token-5",
        "SECOND_TIME_ANALYTICS_WORKSPACE_IDS": "w1",
    }
    for key, value in values.items():
        monkeypatch.setenv(key, value)
    return values
