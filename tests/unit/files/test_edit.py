"""Suggested YAML in a file: merged where it belongs, all else as it was."""

from difflib import ndiff
from pathlib import Path

import pytest
import yaml

from timetracking_assets.files.api_file import read_api_files
from timetracking_assets.files.locations import shipped_apis

pytest.importorskip("ruamel.yaml")

from timetracking_assets.files.edit import Change, changed_text

TEXT = """\
# an API of ours
type: timetracking_assets.RestApi

attributes:
  name: hours   # its prefix
  client: {base_url: "${HOURS_BASE_URL}"}
  resource_defaults:
    primary_key: id
    columns: {at: {data_type: timestamp}}
    endpoint: {data_selector: data, paginator: single_page}
  resources:
    # people first
    - name: people
      endpoint: {path: people}   # all of them

    - name: entries
      endpoint:
        path: entries
---
type: timetracking_assets.RestApi
attributes: {name: other, extends: time_tracking}
"""


def changed(tmp_path: Path, *changes: Change, api: int = 0) -> str:
    path = tmp_path / "defs.yaml"
    path.write_text(TEXT)
    return changed_text(read_api_files(path)[api], changes)


def test_nothing_to_change_changes_nothing(tmp_path: Path) -> None:
    assert "".join(changed(tmp_path).split()) == "".join(TEXT.split())


@pytest.mark.parametrize("name", shipped_apis())
def test_a_shipped_file_keeps_its_comments(name: str) -> None:
    path = shipped_apis()[name]
    [file] = read_api_files(path)
    text = changed_text(file, [])
    comments = [line.strip() for line in path.read_text().splitlines() if line.strip()[:1] == "#"]
    assert [line.strip() for line in text.splitlines() if line.strip()[:1] == "#"] == comments
    assert yaml.safe_load(text) == yaml.safe_load(path.read_text())


def test_a_change_is_merged_into_its_resource(tmp_path: Path) -> None:
    text = changed(
        tmp_path, Change("people", "endpoint: {data_selector: rows}\nprimary_key: number")
    )
    people = yaml.safe_load(text.split("---")[0])["attributes"]["resources"][0]
    assert people == {
        "name": "people",
        "primary_key": "number",
        "endpoint": {"path": "people", "data_selector": "rows"},
    }
    new = [line for line in ndiff(TEXT.splitlines(), text.splitlines()) if line[:1] == "+"]
    assert new == [
        "+       primary_key: number",
        "+       endpoint: {path: people, data_selector: rows} # all of them",
    ]


def test_a_key_of_the_api_goes_beside_the_resources(tmp_path: Path) -> None:
    text = changed(tmp_path, Change("entries", "exclude: [entries]"), Change("", "concurrency: 1"))
    attributes = next(yaml.safe_load_all(text))["attributes"]
    assert (attributes["exclude"], attributes["concurrency"]) == (["entries"], 1)
    again = changed(
        tmp_path, *[Change(name, f"exclude: [{name}]") for name in ("people", "entries")]
    )
    assert next(yaml.safe_load_all(again))["attributes"]["exclude"] == ["people", "entries"]


def test_a_column_that_a_default_declares_stays_declared(tmp_path: Path) -> None:
    text = changed(tmp_path, Change("people", "columns:\n  at: {timezone: Europe/Berlin}"))
    [people, _] = next(yaml.safe_load_all(text))["attributes"]["resources"]
    assert people["columns"] == {"at": {"data_type": "timestamp", "timezone": "Europe/Berlin"}}


def test_a_resource_that_only_the_base_has_is_added(tmp_path: Path) -> None:
    text = changed(tmp_path, Change("time_tracking_data", "page_size: 50"), api=1)
    assert text.startswith(TEXT.split("---")[0].split("\n\n")[0])
    other = list(yaml.safe_load_all(text))[1]["attributes"]
    assert other["resources"] == [{"name": "time_tracking_data", "page_size": 50}]


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("page_size: 5   # rows", True),
        ("# endpoint: {path: ...}", False),
        ("endpoint: {paginator: {total_path: null}}\n# page_size: ...", False),
    ],
)
def test_what_a_person_must_complete_is_known(text: str, complete: bool) -> None:
    assert Change("people", text).complete == complete
