"""A running sandbox with a fixed day, and a client that carries the right credentials."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import requests

from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.remote_control import RemoteControl

Get = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def sandbox_today() -> date:
    return date(2026, 2, 4)


@pytest.fixture(scope="session")
def running_sandbox(sandbox_today: date) -> Iterator[SandboxServer]:
    with SandboxServer(today=sandbox_today) as server:
        yield server


@pytest.fixture
def sandbox(running_sandbox: SandboxServer) -> SandboxServer:
    """The server as it was at its start: data restored, no faults, an empty request log."""
    running_sandbox.control.reset()
    running_sandbox.control.clear_requests()
    return running_sandbox


@pytest.fixture
def control(sandbox: SandboxServer) -> RemoteControl:
    return sandbox.control


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def get(sandbox: SandboxServer, session: requests.Session) -> Get:
    """`get(api, path, {query})`, with that API's credential."""
    environment = sandbox.environment
    credentials: dict[str, dict[str, Any]] = {
        "time_tracking": {"params": {"api_key": environment["TIME_TRACKING_API_KEY"]}},
        "project_management": {
            "auth": (
                environment["PROJECT_MANAGEMENT_EMAIL_ADDRESS"],
                environment["PROJECT_MANAGEMENT_API_KEY"],
            )
        },
        "workspace_time": {"auth": (environment["WORKSPACE_TIME_API_TOKEN"], "api_token")},
        "resource_management": {
            "headers": {"Authorization": f"Bearer {environment['RESOURCE_MANAGEMENT_API_TOKEN']}"}
        },
        "time_analytics": {"headers": {"X-Api-Key": environment["TIME_ANALYTICS_API_KEY"]}},
    }

    def call(
        api: str, path: str, query: dict[str, Any] | None = None, **options: Any
    ) -> requests.Response:
        arguments = {"timeout": 10, **credentials[api], **options}
        arguments["params"] = {**arguments.get("params", {}), **(query or {})}
        return session.get(f"{environment[f'{api.upper()}_BASE_URL']}{path}", **arguments)

    return call
