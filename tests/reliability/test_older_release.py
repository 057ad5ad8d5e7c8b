"""A warehouse and an instance that an older release has made, and both releases in turn.

It needs a working copy of the older one, which runs with today's dependencies: OLDER_RELEASE.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

if TYPE_CHECKING:
    from tests.support.platform import Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

OLDER = os.environ.get("OLDER_RELEASE", "")
ROLES, LOGGED = "resource_management/roles", "resource_management/logged_time"
ENTRIES = "workspace_time/time_entries"
NEWER = Path(__file__).parents[2]


def _run(release: Path, *runs: str) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("release_run.py")), *runs],
        env={**os.environ, "PYTHONPATH": str(release)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == dict.fromkeys(runs, True), done.stderr[
        -2000:
    ]


@pytest.mark.skipif(not OLDER, reason="needs a working copy of an older release: OLDER_RELEASE")
@pytest.mark.timeout(1200)
def test_releases_in_turn(
    platform: Platform, control: RemoteControl, first_day: date, today: date
) -> None:
    older = Path(OLDER).absolute()
    first, last = first_day, today - timedelta(days=1)
    runs = (ROLES, f"{LOGGED}@{first}:{last}", f"{ENTRIES}@{first}:{last}")
    days = {(first + timedelta(days=n)).isoformat() for n in range((today - first).days)}

    def edit(number: int) -> None:
        rows = control.rows("resource_management", "roles")
        changed = {"id": rows[0]["id"], "name": f"turn {number}"}
        control.edit(
            "resource_management",
            "roles",
            upsert=[changed, {"id": 9000 + number, "name": "new"}],
            delete=[rows[-1]["id"]],
        )
        logged = control.rows("resource_management", "logged_time")
        control.edit(
            "resource_management",
            "logged_time",
            upsert=[{"id": logged[-1]["id"], "hours": number + 0.25}],
        )

    versions = []
    for turn, release in enumerate([older, older, NEWER, NEWER, older, NEWER, NEWER]):
        edit(turn)
        _run(release, *runs)
        held = dict(platform.sql("SELECT id, name FROM resource_management.roles"))
        truth = control.rows("resource_management", "roles")
        assert held == {row["id"]: row["name"] for row in truth}, turn
        hours = dict(platform.sql("SELECT id, hours FROM resource_management.logged_time"))
        logged = {
            row["id"]: row["hours"]
            for row in control.rows("resource_management", "logged_time")
            if first.isoformat() <= str(row["modified"])[:10] <= last.isoformat()
        }
        assert hours == logged, turn
        for key in (LOGGED, ENTRIES):
            asset = dg.AssetKey.from_user_string(key)
            assert platform.instance.get_materialized_partitions(asset) == days, turn
        [(count,)] = platform.sql("SELECT count(*) FROM resource_management._dlt_version")
        versions.append(count)
    assert versions[-1] == versions[-2]
