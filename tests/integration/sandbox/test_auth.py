"""Every API refuses whoever does not carry its credential."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from timetracking_assets.sandbox import CREDENTIALS, SandboxServer

Get = Callable[..., requests.Response]

PATHS = {
    "time_tracking": "/v1/resource",
    "project_management": "/v2/projects",
    "workspace_time": "/v1/me/time_entries",
    "resource_management": "/people",
    "time_analytics": "/v1/workspaces/nope/users",
}
EMAIL, KEY = (
    CREDENTIALS["PROJECT_MANAGEMENT_EMAIL_ADDRESS"],
    CREDENTIALS["PROJECT_MANAGEMENT_API_KEY"],
)
TOKEN = CREDENTIALS["WORKSPACE_TIME_API_TOKEN"]
BEARER = CREDENTIALS["RESOURCE_MANAGEMENT_API_TOKEN"]
QUERY_KEY = CREDENTIALS["TIME_TRACKING_API_KEY"]
HEADER_KEY = CREDENTIALS["TIME_ANALYTICS_API_KEY"]

REFUSED: list[tuple[str, dict[str, Any]]] = [
    *((api, {}) for api in PATHS),
    ("time_tracking", {"params": {"api_key": "wrong"}}),
    ("time_tracking", {"params": {"key": QUERY_KEY}}),
    ("time_tracking", {"headers": {"api_key": QUERY_KEY}}),
    ("project_management", {"auth": (EMAIL, "wrong")}),
    ("project_management", {"auth": (KEY, EMAIL)}),
    ("project_management", {"headers": {"Authorization": "Basic %%%"}}),
    ("workspace_time", {"auth": (TOKEN, "wrong")}),
    ("workspace_time", {"auth": ("api_token", TOKEN)}),
    ("resource_management", {"headers": {"Authorization": BEARER}}),
    ("resource_management", {"headers": {"Authorization": "Bearer wrong"}}),
    ("resource_management", {"headers": {"Authorization": f"Token {BEARER}"}}),
    ("resource_management", {"auth": (BEARER, "")}),
    ("time_analytics", {"headers": {"X-Api-Key": "wrong"}}),
    ("time_analytics", {"headers": {"api_key": HEADER_KEY}}),
    ("time_analytics", {"params": {"X-Api-Key": HEADER_KEY}}),
]


@pytest.mark.parametrize(("api", "given"), REFUSED)
def test_a_missing_or_wrong_credential_is_refused(
    sandbox: SandboxServer, session: requests.Session, api: str, given: dict[str, Any]
) -> None:
    url = sandbox.environment[f"{api.upper()}_BASE_URL"] + PATHS[api]
    answer = session.get(url, timeout=10, **given)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": {"status": 401, "message": "the credential is missing or wrong"}
    }


@pytest.mark.parametrize(
    ("api", "challenge"),
    [
        ("project_management", 'Basic realm="sandbox"'),
        ("workspace_time", 'Basic realm="sandbox"'),
        ("resource_management", "Bearer"),
        ("time_analytics", None),
    ],
)
def test_a_refusal_names_the_scheme(
    sandbox: SandboxServer, session: requests.Session, api: str, challenge: str | None
) -> None:
    url = sandbox.environment[f"{api.upper()}_BASE_URL"] + PATHS[api]
    assert session.get(url, timeout=10).headers.get("WWW-Authenticate") == challenge


@pytest.mark.parametrize("api", ["time_tracking", "project_management", "workspace_time"])
def test_the_right_credential_is_accepted(get: Get, api: str) -> None:
    assert get(api, PATHS[api]).status_code == 200
