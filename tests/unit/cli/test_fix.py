"""`timetracking doctor --fix`: what the errors suggest is written, and nothing else."""

from pathlib import Path

import pytest
import yaml
from rich.console import Console

from timetracking_assets.doctor.findings import Examination, Finding

pytest.importorskip("ruamel.yaml")

from timetracking_assets.cli.fix import write_suggestions

TEXT = """\
type: timetracking_assets.RestApi
attributes:
  name: hours
  client: {base_url: "${HOURS_BASE_URL}"}
  resources:
    - name: people
      primary_key: id   # unique
      endpoint: {path: people, data_selector: data, paginator: single_page}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "hours"\n')
    folder = tmp_path / "hours" / "defs" / "hours"
    folder.mkdir(parents=True)
    (folder / "defs.yaml").write_text(TEXT)
    return folder / "defs.yaml"


def fixed(path: Path, *findings: Finding) -> str:
    console = Console(record=True, width=120)
    write_suggestions(console, [Examination("hours", {"people": list(findings)})], path.parents[3])
    return console.export_text()


def test_an_error_is_mended_and_the_difference_shown(path: Path) -> None:
    shown = fixed(path, Finding("error", "key", "not unique", "primary_key: number"))
    assert "-      primary_key: id   # unique\n+      primary_key: number # unique" in shown
    assert path.read_text() == TEXT.replace("primary_key: id   #", "primary_key: number #")
    assert [file.name for file in path.parent.iterdir()] == ["defs.yaml"]


@pytest.mark.parametrize(
    "finding",
    [
        Finding("advice", "key", "could be a key", "primary_key: number"),
        Finding("error", "path", "nothing there", "# endpoint: {path: ...}"),
        # would not load
        Finding("error", "window", "no day", "window: {field: day}"),
        Finding("error", "reachable", "no answer"),
    ],
)
def test_what_is_for_a_person_to_decide_is_left_to_them(path: Path, finding: Finding) -> None:
    shown = fixed(path, finding)
    assert path.read_text() == TEXT
    assert ("to be completed by hand" in shown) == bool(finding.level == "error" and finding.yaml)


def test_one_suggestion_that_does_not_load_keeps_no_other_out(path: Path) -> None:
    fixed(
        path,
        Finding("error", "window", "no day", "window: {field: day}"),
        Finding("error", "status", "no success", "success_codes: [202]"),
    )
    [people] = yaml.safe_load(path.read_text())["attributes"]["resources"]
    assert people["success_codes"] == [202]
    assert "window" not in people
