"""The five APIs that are shipped pass the suite that every API passes."""

from pathlib import Path

import pytest

import timetracking_assets
from timetracking_assets.testing import conformance_suite

pytestmark = pytest.mark.usefixtures("settings")
PROJECT = Path(timetracking_assets.__file__).parent

TestTimeTracking = conformance_suite("time_tracking", project=PROJECT)
TestProjectManagement = conformance_suite("project_management", project=PROJECT)
TestWorkspaceTime = conformance_suite("workspace_time", project=PROJECT)
TestResourceManagement = conformance_suite("resource_management", project=PROJECT)
TestTimeAnalytics = conformance_suite("time_analytics", project=PROJECT)


def test_an_unknown_api_is_refused() -> None:
    with pytest.raises(LookupError, match=r"no API 'time'; it has: project_management, "):
        conformance_suite("time", project=PROJECT)
