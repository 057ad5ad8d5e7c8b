"""The sandbox's credentials, and the environment that points the product at a running sandbox.

The values are published constants, not secrets. They are long and unlike any other text, so that a
test can search logs and files for them.
"""

from typing import Final

from timetracking_assets.sandbox.catalog import PREFIXES
from timetracking_assets.sandbox.identifiers import (
    ANALYTICS_WORKSPACE_IDS,
    ORGANIZATION_IDS,
    WORKSPACE_IDS,
)

CREDENTIALS: Final[dict[str, str]] = {
    "TIME_TRACKING_API_KEY": "sandbox-query-key-6b1f0c93d7e2",
    "PROJECT_MANAGEMENT_EMAIL_ADDRESS": "sandbox.owner.52c8@studio.example",
    "PROJECT_MANAGEMENT_API_KEY": "sandbox-basic-key-e40a7d15b9c6",
    "WORKSPACE_TIME_API_TOKEN": "sandbox-basic-token-93fd2b608ac1",
    "RESOURCE_MANAGEMENT_API_TOKEN": "sandbox-bearer-token-0d75c1e8f42a",
    "TIME_ANALYTICS_API_KEY": "sandbox-header-key-a8267fe3105b",
}
"""Environment variable to value, for what the APIs check."""

BASIC_TOKEN_PASSWORD: Final = "api_token"
"""The literal password that goes with the token of `workspace_time`."""


def sandbox_environment(base_url: str) -> dict[str, str]:
    """The environment variables with which the product reads from the sandbox at `base_url`.

    `base_url` is the server's address with no path, e.g. `http://127.0.0.1:8765`.
    """
    root = base_url.rstrip("/")
    urls = {f"{api.upper()}_BASE_URL": f"{root}{prefix}" for api, prefix in PREFIXES.items()}
    return {
        **urls,
        **CREDENTIALS,
        "WORKSPACE_TIME_ORGANIZATION_IDS": ",".join(map(str, ORGANIZATION_IDS)),
        "WORKSPACE_TIME_WORKSPACE_IDS": ",".join(map(str, WORKSPACE_IDS)),
        "TIME_ANALYTICS_WORKSPACE_IDS": ",".join(ANALYTICS_WORKSPACE_IDS),
    }
