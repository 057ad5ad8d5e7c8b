"""Shipped APIs pass the suite that every API passes.

Three of the five hold all that it looks at: each sync mode, partitions and fan-outs. That the
tables of all five are what their APIs hold is asserted of the demo.
"""

from pathlib import Path
from typing import Any

import pytest

import timetracking_assets
from tests.support import throwaway_postgres
from timetracking_assets.testing import conformance_suite

pytestmark = pytest.mark.usefixtures("settings")
PROJECT = Path(timetracking_assets.__file__).parent
OURS: Any = {"project": PROJECT, "warehouse": throwaway_postgres.new_warehouse}

TestTimeTracking = conformance_suite("time_tracking", **OURS)
TestProjectManagement = conformance_suite("project_management", **OURS)
TestWorkspaceTime = conformance_suite("workspace_time", **OURS)


def test_an_unknown_api_is_refused() -> None:
    with pytest.raises(LookupError, match=r"no API 'time'; it has: project_management, "):
        conformance_suite("time", project=PROJECT)
