"""What the package gives to those who point the product at a sandbox."""

import re
import subprocess
import sys

from timetracking_assets.sandbox import CREDENTIALS, sandbox_environment

ROOT = "http://127.0.0.1:8765"


def test_exactly_the_documented_variables() -> None:
    environment = sandbox_environment(f"{ROOT}/")
    assert sorted(environment) == [
        "PROJECT_MANAGEMENT_API_KEY",
        "PROJECT_MANAGEMENT_BASE_URL",
        "PROJECT_MANAGEMENT_EMAIL_ADDRESS",
        "RESOURCE_MANAGEMENT_API_TOKEN",
        "RESOURCE_MANAGEMENT_BASE_URL",
        "TIME_ANALYTICS_API_KEY",
        "TIME_ANALYTICS_BASE_URL",
        "TIME_ANALYTICS_WORKSPACE_IDS",
        "TIME_TRACKING_API_KEY",
        "TIME_TRACKING_BASE_URL",
        "WORKSPACE_TIME_API_TOKEN",
        "WORKSPACE_TIME_BASE_URL",
        "WORKSPACE_TIME_ORGANIZATION_IDS",
        "WORKSPACE_TIME_WORKSPACE_IDS",
    ]
    assert environment["RESOURCE_MANAGEMENT_BASE_URL"] == f"{ROOT}/resource_management/v3"
    assert environment["TIME_TRACKING_BASE_URL"] == f"{ROOT}/time_tracking"


def test_identifiers_are_comma_separated() -> None:
    environment = sandbox_environment(ROOT)
    assert re.fullmatch(r"\d+,\d+", environment["WORKSPACE_TIME_ORGANIZATION_IDS"])
    assert re.fullmatch(r"\d+,\d+,\d+", environment["WORKSPACE_TIME_WORKSPACE_IDS"])
    assert re.fullmatch(r"[0-9a-f]{24},[0-9a-f]{24}", environment["TIME_ANALYTICS_WORKSPACE_IDS"])


def test_credentials_are_long_and_all_different() -> None:
    values = list(CREDENTIALS.values())
    assert all(len(value) >= 16 for value in values)
    assert len(set(values)) == len(values)
    assert not [one for one in values for other in values if one != other and one in other]


def imported_by(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(' '.join(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in found.stdout.split()}


def test_importing_the_package_loads_no_web_framework() -> None:
    modules = imported_by("import timetracking_assets.sandbox")
    assert not modules & {"starlette", "uvicorn", "msgspec", "anyio", "requests"}


def test_the_server_knows_nothing_of_the_product() -> None:
    modules = imported_by("import timetracking_assets.sandbox.server, sys")
    assert "starlette" in modules
    assert not modules & {"dagster", "dlt", "duckdb", "pyarrow", "yaml"}
