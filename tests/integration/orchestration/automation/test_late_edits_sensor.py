"""Ticks of the late edits sensor: the partitions that it loads again, and once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from timetracking_assets.spec.window import PartitionsSpec

if TYPE_CHECKING:
    from tests.support.platform import OfApi
    from tests.support.sensors import Sensor
    from timetracking_assets.sandbox.remote_control import RemoteControl

ABSENCES = "project_management/absences"
MakeSensor = Callable[..., "Sensor"]


def test_late_edits(of_api: OfApi, make: MakeSensor, control: RemoteControl) -> None:
    """A year's answer speaks of rows that began in the year before: that year is loaded, once."""
    year = datetime.now(UTC).year
    rows = [
        {
            "id": number,
            "user_id": 1,
            "type": "vacation",
            "date_since": f"{year - back}-12-30" if back else f"{year}-02-01",
            "date_until": f"{year - back + 1}-01-02" if back else f"{year}-02-02",
        }
        for number, back in [(1, 0), (2, 1)]
    ]
    control.replace("project_management", "absences", rows)
    years = PartitionsSpec(type="yearly", start=str(year - 2))
    platform = of_api("project_management", absences={"partitions": years})
    sensor = make(platform, "project_management_late_edits")
    assert sensor.ranges() == {}
    assert platform.materialize(ABSENCES, partition=str(year)).green
    # the first load has no table to compare with
    assert sensor.ranges() == {}
    again = platform.materialize(ABSENCES, partition=str(year))
    assert again.metadata[ABSENCES]["late_days"] == [f"{year - 1}-12-30"]
    assert sensor.ranges() == {ABSENCES: (str(year - 1), str(year - 1))}
    assert sensor.ranges() == {}
    assert platform.materialize(ABSENCES, partition=str(year - 1)).green

    # it is stored now: nothing is late, until it is edited
    settled = platform.materialize(ABSENCES, partition=str(year))
    assert "late_days" not in settled.metadata[ABSENCES]
    assert sensor.ranges() == {}
    control.edit("project_management", "absences", upsert=[{"id": 2, "note": "longer"}])
    assert platform.materialize(ABSENCES, days=(str(year), str(year))).green
    assert sensor.ranges() == {ABSENCES: (str(year - 1), str(year - 1))}
