"""An API of a kind that isn't shipped joins the model by its mapping in YAML, and nothing else."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

import timetracking_assets
from tests.support.platform import Platform
from tests.support.stub_api import Stub, running_stub
from timetracking_assets.hours.tables import TABLES
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource

CLIENT = """\
type: timetracking_assets.RestApi
attributes:
  name: punch_clock
  client: {base_url: "${PUNCH_CLOCK_BASE_URL}"}
  resources:
    - name: punches
      primary_key: nr
      endpoint: {path: punches, data_selector: data, paginator: single_page}
"""
MAPPING = """\
      columns:
        nr: {data_type: bigint}
        badge: {data_type: text}
        came: {data_type: timestamp}
        minutes: {data_type: bigint}
        order: {data_type: text}
      unified:
        people: {id: badge, email: badge, distinct: true}
        projects: {id: order, name: order, distinct: true}
        time_entries: {id: nr, person: badge, project: order, start: came, minutes: minutes}
"""
PUNCHES = [
    {
        "nr": 1,
        "badge": "Ada@Studio.example",
        "came": "2026-03-02T08:00:00Z",
        "minutes": 95,
        "order": "A7",
    },
    {
        "nr": 2,
        "badge": "ben@studio.example",
        "came": "2026-03-02T09:30:00Z",
        "minutes": 30,
        "order": "A7",
    },
]


def test_a_sixth_api(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(MAPPING.splitlines()) <= 12
    package = "project_of_six"
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\n'
        f'root_module = "{package}"\ndefs_module = "{package}.defs"\n'
    )
    shipped = Path(timetracking_assets.__file__).parent / "defs"
    folder = tmp_path / package / "defs"
    shutil.copytree(shipped, folder)
    (tmp_path / package / "__init__.py").touch()
    (folder / "punch_clock").mkdir()
    (folder / "punch_clock" / "defs.yaml").write_text(CLIENT + MAPPING)
    monkeypatch.syspath_prepend(str(tmp_path))
    with running_stub(Stub()) as stub:
        stub.answers = [(200, {}, json.dumps({"data": PUNCHES}).encode())]
        monkeypatch.setenv("PUNCH_CLOCK_BASE_URL", stub.url)
        definitions = dg.Definitions.merge(
            dg.load_from_defs_folder(path_within_project=tmp_path / package),
            dg.Definitions(
                resources={WAREHOUSE: WarehouseResource()}, executor=dg.in_process_executor
            ),
        )
        six = replace(platform, definitions=definitions)
        assert six.materialize("punch_clock/punches").succeeded
        outcome = six.materialize(*(f"hours/{table}" for table in TABLES))
    assert outcome.succeeded, outcome.failures
    assert six.sql(
        "SELECT entry_key, person_key, project_key, CAST(day AS VARCHAR), seconds "
        "FROM hours.time_entries ORDER BY 1"
    ) == [
        ("punch_clock:1", "ada@studio.example", "punch_clock:A7", "2026-03-02", 5700),
        ("punch_clock:2", "ben@studio.example", "punch_clock:A7", "2026-03-02", 1800),
    ]
    assert six.sql("SELECT sum(worked_seconds) FROM hours.person_days") == [(7500,)]
    checks = outcome.checks["hours/time_entries"]
    assert checks["hours_in_equal_hours_out"].metadata["seconds_in"].value == 7500
    deps = {
        dep.asset_key.to_user_string()
        for spec in definitions.resolve_all_asset_specs()
        if spec.key.to_user_string() == "hours/time_entries"
        for dep in spec.deps
    }
    assert {"punch_clock/punches", "time_tracking/time_tracking_data"} <= deps
