"""What `dg scaffold` writes: a file that loads as it is, and variables that are not yet there."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from timetracking_assets.component import RestApi, RestApiParams, RestApiScaffolder, load_project
from timetracking_assets.files.locations import shipped_apis


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "mine"\n')
    (tmp_path / "mine" / "defs").mkdir(parents=True)
    return tmp_path


def scaffold(project: Path, name: str, extends: str | None = None) -> str:
    folder = project / "mine" / "defs" / name
    folder.mkdir()
    RestApiScaffolder().scaffold(
        dg.ScaffoldRequest(
            type_name="timetracking_assets.RestApi",
            target_path=folder,
            scaffold_format="yaml",
            project_root=project,
            params=RestApiParams(extends=extends),
        )
    )
    return (folder / "defs.yaml").read_text()


@pytest.mark.parametrize("base", [None, *shipped_apis()])
def test_what_is_written_loads_as_it_is(project: Path, base: str | None) -> None:
    text = scaffold(project, "Berlin Office", base)
    assert text.count("#") > 3
    [api] = load_project(project)
    assert api.name == "berlin_office"
    names = [line.partition("=")[0] for line in (project / ".env").read_text().splitlines()[1:]]
    assert sorted(names) == sorted(api.variables)


def test_variables_are_added_once(project: Path) -> None:
    (project / ".env").write_text("BERLIN_BASE_URL=https://api.example.com\n# BERLIN_API_TOKEN=x\n")
    scaffold(project, "berlin")
    assert "BERLIN_BASE_URL=\n" not in (project / ".env").read_text()
    scaffold(project, "vienna")
    assert (
        (project / ".env")
        .read_text()
        .endswith("\n\n# vienna\nVIENNA_BASE_URL=\nVIENNA_API_TOKEN=\n")
    )


def test_nothing_is_written_for_what_cant_be_extended(project: Path) -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="'nope' is not one of"):
        scaffold(project, "berlin", "nope")
    assert not list(project.rglob("defs.yaml"))
    assert not (project / ".env").exists()


def test_the_component_has_a_schema_for_editors() -> None:
    schema = RestApi.get_model_cls().model_json_schema()
    assert {"name", "extends", "rename", "client", "resources"} <= schema["properties"].keys()
    assert schema["additionalProperties"] is False
    descriptions = {name: field.get("description") for name, field in schema["properties"].items()}
    assert "the API that this file starts from" in str(descriptions["extends"])
