"""`timetracking doctor` and `timetracking show`, as a person and as CI call them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from typer.testing import CliRunner, Result

from timetracking_assets.cli.main import app

if TYPE_CHECKING:
    from timetracking_assets.sandbox.remote_control import RemoteControl


@pytest.fixture(autouse=True)
def _home(
    settings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Mapping[str, str]:
    monkeypatch.setenv("TIMETRACKING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    return settings


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_the_shipped_files_fit_the_sandbox(control: RemoteControl) -> None:
    result = call("doctor", "--json")
    assert result.exit_code == 0, result.output
    reported = json.loads(result.stdout)
    assert {api["api"]: api["healthy"] for api in reported} == dict.fromkeys(
        [
            "project_management",
            "resource_management",
            "time_analytics",
            "time_tracking",
            "workspace_time",
        ],
        True,
    )
    assert sum(len(api["resources"]) for api in reported) == 36
    requests = control.requests()
    assert sum(api["requests"] for api in reported) == len(requests)
    assert len(requests) <= 2 * 36


def test_a_fault_is_reported_and_exits_with_1(
    control: RemoteControl, settings: Mapping[str, str]
) -> None:
    key = settings["TIME_ANALYTICS_API_KEY"]
    control.place_fault("status", status=403, body=f"no rights for [{key}]", path="/tags$")
    result = call("doctor", "time_analytics")
    assert result.exit_code == 1
    assert "permission: HTTP 403: the account may not read this" in result.output
    assert "no rights for [***]" in result.output
    assert "exclude: [tags]" in result.output
    assert key not in result.output
    # the others are looked at all the same
    assert result.output.count("permission: HTTP 200") == 6


def test_nothing_answers_and_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIME_TRACKING_BASE_URL", "http://127.0.0.1:9")
    unreachable = call("doctor", "time_tracking")
    assert unreachable.exit_code == 1
    assert "nothing answers at http://127.0.0.1:9" in unreachable.output
    monkeypatch.delenv("TIME_TRACKING_API_KEY")
    unset = call("doctor", "time_tracking")
    assert unset.exit_code == 1
    assert "TIME_TRACKING_API_KEY not set" in unset.output


def test_show_prints_what_a_file_comes_to_with_the_names_of_secrets(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "mine"\n')
    folder = tmp_path / "mine" / "defs" / "berlin"
    folder.mkdir(parents=True)
    (folder / "defs.yaml").write_text(
        "type: timetracking_assets.RestApi\n"
        "attributes:\n"
        "  name: berlin\n"
        "  extends: time_tracking\n"
        "  resources:\n"
        "    - {name: time_tracking_data, page_size: 50, endpoint: {paginator: {limit: 50}}}\n"
    )
    shown = call("show", "berlin")
    assert shown.exit_code == 0, shown.output
    attributes = yaml.safe_load(shown.stdout)["attributes"]
    assert attributes["client"]["auth"]["api_key"] == "${BERLIN_API_KEY}"
    assert "extends" not in attributes
    [resource] = attributes["resources"]
    assert resource["page_size"] == 50
    assert resource["endpoint"]["paginator"] == {"type": "offset", "limit": 50, "total_path": None}
    unknown = call("show", "munich")
    assert unknown.exit_code == 1
    assert "there are: berlin" in unknown.output
