"""A file laid over another: what merges, what replaces, what goes, where each key is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from timetracking_assets.errors import SpecError
from timetracking_assets.files.api_file import ApiFile, read_api_files
from timetracking_assets.files.extension import extend
from timetracking_assets.files.locations import shipped_apis
from timetracking_assets.files.models import ApiFileModel
from timetracking_assets.spec.resolve import resolve

BASE: dict[str, Any] = {
    "name": "base",
    "client": {"base_url": "${BASE_URL}", "auth": {"type": "bearer", "token": "${BASE_TOKEN}"}},
    "resource_defaults": {"endpoint": {"params": {"size": 5}, "paginator": {"type": "offset"}}},
    "resources": [
        {"name": "people", "primary_key": "id", "columns": {"id": {"data_type": "bigint"}}},
        {
            "name": "hours",
            "endpoint": {"path": "p/{resources.people.id}", "params": {"a": 1, "b": 2}},
            "columns": {"_people_id": {"data_type": "bigint"}},
            "partitions": {"type": "daily", "start": "{{ env('BASE_START', '2026-01-01') }}"},
        },
    ],
}


def laid_over(**changes: Any) -> dict[str, Any]:
    return extend(BASE, {"name": "mine", "extends": "base", **changes})


def test_nothing_said_is_the_base_under_another_name_and_other_variables() -> None:
    result = laid_over()
    assert result["name"] == "mine"
    assert result["client"]["base_url"] == "${MINE_URL}"
    assert result["resources"][1]["partitions"]["start"] == "{{ env('MINE_START', '2026-01-01') }}"
    assert "extends" not in result
    assert BASE["name"] == "base"


def test_maps_merge_and_lists_replace() -> None:
    result = laid_over(
        client={"headers": {"X": "1"}},
        resources=[{"name": "people", "primary_key": ["a", "b"], "columns": {"b": {}}}],
    )
    assert result["client"]["auth"]["token"] == "${MINE_TOKEN}"
    assert result["client"]["headers"] == {"X": "1"}
    people = result["resources"][0]
    assert people["primary_key"] == ["a", "b"]
    assert list(people["columns"]) == ["id", "b"]


def test_a_map_of_another_type_replaces() -> None:
    auth = {"type": "api_key", "name": "k", "api_key": "${K}"}
    assert laid_over(client={"auth": auth})["client"]["auth"] == auth
    same = laid_over(client={"auth": {"type": "bearer", "x": 1}})["client"]["auth"]
    assert same == {"type": "bearer", "token": "${MINE_TOKEN}", "x": 1}


def test_null_takes_a_key_out_but_is_a_value_of_dlts() -> None:
    result = laid_over(
        client={"auth": None},
        resources=[
            {
                "name": "hours",
                "partitions": None,
                "page_size": None,
                "columns": {"_people_id": None},
                "endpoint": {"params": {"a": None}, "paginator": {"total_path": None}},
            }
        ],
    )
    hours = result["resources"][1]
    assert "partitions" not in hours
    assert hours["columns"] == {}
    assert hours["page_size"] is None
    assert hours["endpoint"]["params"] == {"a": None, "b": 2}
    assert hours["endpoint"]["paginator"] == {"total_path": None}
    assert result["client"]["auth"] is None


def test_resources_are_added_and_renamed_with_all_that_names_them() -> None:
    result = laid_over(rename={"people": "staff"}, resources=[{"name": "more"}, {"name": "staff"}])
    assert [resource["name"] for resource in result["resources"]] == ["staff", "hours", "more"]
    hours = result["resources"][1]
    assert hours["endpoint"]["path"] == "p/{resources.staff.id}"
    assert list(hours["columns"]) == ["_staff_id"]


@pytest.mark.parametrize("name", shipped_apis())
def test_each_shipped_file_can_be_extended_and_renamed_whole(name: str) -> None:
    [base] = read_api_files(shipped_apis()[name])
    names = [resource["name"] for resource in base.attributes["resources"]]
    rename = {old: f"my_{old}" for old in names}
    own = {"name": "mine", "extends": name, "rename": rename}
    file = ApiFile.of(ApiFileModel.model_validate(own).model_dump(exclude_unset=True), None)
    rendered = dg.ResolutionContext.default().resolve_value(file.attributes)
    api = resolve(rendered)
    assert list(api.resources) == list(rename.values())
    assert all(variable.startswith("MINE_") for variable in api.variables)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "base").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "base" / "defs.yaml").write_text(
        "type: timetracking_assets.RestApi\n"
        "attributes:\n"
        "  name: base\n"
        "  client:\n"
        "    base_url: x\n"
        "  resources:\n"
        "    - name: people\n"
        "      endpoint:\n"
        "        path: people\n"
        "    - name: hours\n"
        "      endpoint:\n"
        "        path: hours\n"
    )
    (tmp_path / "mine" / "defs.yaml").write_text(
        "# two APIs in one file\n"
        "type: timetracking_assets.RestApi\n"
        "attributes: {name: other, extends: ../base}\n"
        "---\n"
        "type: timetracking_assets.RestApi\n"
        "attributes:\n"
        "  name: mine\n"
        "  extends: ../base\n"
        "  rename: {hours: time}\n"
        "  resources:\n"
        "    - name: time\n"
        "      endpoint:\n"
        "        params: {a: 1}\n"
        "    - name: more\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("name",), "mine/defs.yaml:7"),
        (("client", "base_url"), "base/defs.yaml:5"),
        (("client", "auth"), "base/defs.yaml:4"),
        (("resources", 0, "endpoint", "path"), "base/defs.yaml:9"),
        (("resources", 1, "endpoint", "path"), "base/defs.yaml:12"),
        (("resources", 1, "endpoint", "params", "a"), "mine/defs.yaml:13"),
        (("resources", 2, "endpoint"), "mine/defs.yaml:14"),
        (("nothing",), "mine/defs.yaml:7"),
    ],
)
def test_a_key_is_found_in_the_file_that_says_it(
    files: Path, path: tuple[str | int, ...], where: str
) -> None:
    _, mine = read_api_files((files / "mine" / "defs.yaml").resolve())
    place = mine.place_of(path)
    assert place is not None
    assert f"{place.path.relative_to(files.resolve()).as_posix()}:{place.line}" == where


@pytest.mark.parametrize(
    ("own", "path", "message"),
    [
        ({"extends": "nope"}, ("extends",), "'nope' is not one of project_management"),
        ({"extends": "../nope"}, ("extends",), "there is no file"),
        ({"extends": "../mine"}, ("extends",), "extends this file in turn"),
        ({"rename": {"a": "b"}}, ("rename",), "needs `extends`"),
        (
            {"extends": "time_tracking", "rename": {"a": "b"}},
            ("rename", "a"),
            "'time_tracking' has no resource 'a'",
        ),
        ({"resources": [{"name": "a"}, {"name": "a"}]}, ("resources", 1, "name"), "already"),
    ],
)
def test_what_cant_be_extended_is_refused(
    files: Path, own: dict[str, Any], path: tuple[str | int, ...], message: str
) -> None:
    folder = files / "new"
    folder.mkdir()
    with pytest.raises(SpecError, match=message) as refused:
        ApiFile.of({"name": "new", **own}, (files / "mine" / "defs.yaml").resolve())
    assert refused.value.path == path


def test_a_file_knows_every_key_and_no_other() -> None:
    ApiFileModel.model_validate({"name": "a", "resources": [{"name": "b", "window": {}}]})
    for wrong in ({"nam": "a"}, {"resources": [{"name": "b", "windo": {}}]}, {"retry": {"x": 1}}):
        with pytest.raises(ValidationError):
            ApiFileModel.model_validate({"name": "a", **wrong})


def test_null_switches_a_check_off_and_takes_its_thresholds_out() -> None:
    checks = {"volume": {"weeks": 4}, "nulls": {"columns": {"a": 0.1}}}
    base = {**BASE, "resource_defaults": {"checks": checks}}
    changed = {"checks": {"volume": None, "nulls": {"columns": {"a": None}}}}
    result = extend(base, {"name": "mine", "resource_defaults": changed})
    assert result["resource_defaults"]["checks"] == {"volume": None, "nulls": {"columns": {}}}
    gone = extend(base, {"name": "mine", "resource_defaults": {"checks": None}})
    assert gone["resource_defaults"] == {}


@pytest.mark.parametrize("reference", ["people", {"resource": "people", "name": "email"}])
def test_references_follow_a_new_name(reference: Any) -> None:
    people, hours = BASE["resources"]
    base = {**BASE, "resources": [people, {**hours, "references": {"person_id": reference}}]}
    result = extend(base, {"name": "mine", "rename": {"people": "staff"}})
    renamed = result["resources"][1]["references"]["person_id"]
    assert renamed == ("staff" if reference == "people" else {"resource": "staff", "name": "email"})


UNIFIED = {
    "name": "base",
    "client": {"base_url": "u"},
    "resources": [
        {
            "name": "people",
            "columns": {"id": {"data_type": "bigint"}, "rate": {"data_type": "double"}},
            "unified": {"people": {"id": "id"}},
        },
        {
            "name": "hours",
            "columns": {"id": {}, "day": {}, "person_id": {}, "archived": {}},
            "references": {"person_id": "people"},
            "unified": {
                "time_entries": {"id": "id", "day": "day", "rate": "person_id.rate"},
                "projects": {"id": "id", "active": {"sql": "NOT {archived}"}},
            },
        },
    ],
}


@pytest.mark.parametrize(
    ("resource", "kept"),
    [
        ({"name": "hours", "columns": {"note": {}}}, ["time_entries", "projects"]),
        ({"name": "hours", "columns": {"day": None}}, ["projects"]),
        ({"name": "hours", "columns": {"archived": None}}, ["time_entries"]),
        ({"name": "hours", "columns": {"id": None}}, []),
        # through a reference
        ({"name": "people", "columns": {"rate": None}}, ["projects"]),
        # what the file describes itself stays, right or wrong
        (
            {
                "name": "hours",
                "columns": {"day": None, "at": {}},
                "unified": {"time_entries": {"day": "at"}},
            },
            ["time_entries", "projects"],
        ),
    ],
)
def test_a_mapping_goes_with_the_column_that_it_is_made_of(
    resource: dict[str, Any], kept: list[str]
) -> None:
    result = extend(UNIFIED, {"name": "mine", "extends": "base", "resources": [resource]})
    [hours] = [item for item in result["resources"] if item["name"] == "hours"]
    assert list(hours["unified"]) == kept
    assert UNIFIED["resources"][1]["unified"].keys() == {"time_entries", "projects"}  # type: ignore[index]
