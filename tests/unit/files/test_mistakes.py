"""What is wrong in the files of a project: all of it at once, each mistake with its place."""

from pathlib import Path

import pytest

from timetracking_assets.component import load_project
from timetracking_assets.errors import SpecError
from timetracking_assets.files.api_file import find_api

RIGHT = """\
type: timetracking_assets.RestApi
attributes:
  name: hours
  client: {base_url: "${HOURS_BASE_URL}"}
  resource_defaults:
    primary_key: id
    endpoint: {data_selector: data, paginator: single_page}
  resources:
    - name: people
      endpoint: {path: people}
    - name: entries
      endpoint: {path: entries}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "hours"\n')
    (tmp_path / "hours" / "defs").mkdir(parents=True)
    return tmp_path


def write(project: Path, text: str, name: str = "hours") -> Path:
    folder = project / "hours" / "defs" / name
    folder.mkdir()
    (folder / "defs.yaml").write_text(text)
    return folder / "defs.yaml"


def refusal(project: Path) -> list[str]:
    with pytest.raises(SpecError) as refused:
        load_project(project)
    return str(refused.value).splitlines()


def test_a_right_file_is_taken(project: Path) -> None:
    write(project, RIGHT)
    assert [api.name for api in load_project(project)] == ["hours"]


@pytest.mark.parametrize(
    ("text", "instead", "place", "message"),
    [
        ("primary_key: id", "primary_key: [id", "7:13", "not valid YAML: while parsing a flow seq"),
        (RIGHT, "", "1:1", "the file is empty; begin with `type: timetracking_assets.RestApi`"),
        ("RestApi", "RestApy", "1:1", "unknown type 'timetracking_assets.RestApy'; did you mean"),
        (RIGHT, "- a\n", "1:1", "must be a map; begin with"),
        ("type: timetracking_assets.RestApi\n", "", "1:1", "`type` is missing"),
        ("    primary_key", "    primary_kye", "6:5", "resource_defaults.primary_kye: unknown key"),
        ("  client", "  clint", "4:3", "clint: unknown key; did you mean `client`?"),
        ("data_selector", "data_selectr", "7:16", "did you mean `data_selector`?"),
        (
            "    primary_key: id",
            "    primary_key: id\n    primary_key: x",
            "7:5",
            "already in this map",
        ),
        (RIGHT.split("attributes")[1], ":\n", "2:12", "name: is missing"),
        ("- name: people\n      endpoint", "- endpoint", "9:7", "resources.0.name: is missing"),
        ("  client", "  extends: nope\n  client", "4:3", "extends: 'nope' is not one of"),
        (
            RIGHT.split("resources:")[1],
            " {people: {}}\n",
            "8:3",
            "resources: must be a list, not a map",
        ),
        ("- name: people\n      endpoint: {path: people}", "- people", "9:7", "must be a map, not"),
        (
            "primary_key: id",
            "primary_key: '{{ nope }}'",
            "6:5",
            "resource_defaults.primary_key: the template can't be rendered: UndefinedError: 'nope'",
        ),
        (
            # though it comes to a right one
            "primary_key: id",
            "page_size: '{{ 50 }}'",
            "6:5",
            "resource_defaults.page_size: must be a whole number, not '{{ 50 }}'",
        ),
        (
            "primary_key: id",
            "page_size: none",
            "6:5",
            "resource_defaults.page_size: must be a whole number, not 'none'",
        ),
        (
            "endpoint: {path: people}",
            "endpoint: {path: people}\n      columns: {id: {data_tipe: text}}",
            "11:22",
            "resources.people.columns.id.data_tipe: unknown key; did you mean `data_type`?",
        ),
    ],
)
def test_a_mistake_has_its_place(
    project: Path, text: str, instead: str, place: str, message: str
) -> None:
    path = write(project, RIGHT.replace(text, instead))
    first = refusal(project)[0]
    assert first.startswith(f"{path}:{place}: ")
    assert message in first


def test_show_and_doctor_report_the_same_places(project: Path) -> None:
    path = write(project, RIGHT.replace("  client", "  clint"))
    for call in (lambda: find_api("hours", project), lambda: load_project(project)):
        with pytest.raises(SpecError) as refused:
            call()
        assert f"{path}:4:3: clint: unknown key; did you mean `client`?" in str(refused.value)


def test_a_file_that_is_wrong_hides_no_other_api(project: Path) -> None:
    write(project, "- a\n", "broken")
    write(project, RIGHT)
    assert find_api("hours", project).attributes["name"] == "hours"
    with pytest.raises(SpecError, match="must be a map; begin with"):
        find_api("other", project)


def test_a_mistake_in_a_default_is_reported_once(project: Path) -> None:
    write(project, RIGHT.replace("data_selector: data", "data_selector: 'a b'"))
    lines = refusal(project)
    assert len(lines) == 2
    assert ":7:16: resource_defaults.endpoint.data_selector: resource 'people' needs" in lines[0]


def test_all_mistakes_of_all_files_are_reported_at_once(project: Path) -> None:
    wrong = RIGHT.replace("endpoint: {path: people}", "page_siz: 5\n      max_pages: 0")
    wrong = wrong.replace(
        "endpoint: {path: entries}", "endpoint: {path: 'p/{resources.persons.id}'}"
    )
    first = write(project, wrong)
    second = write(project, RIGHT.replace("name: hours", "name: Hours"), "other")
    lines = refusal(project)
    places = [line.split(": ")[0] for line in lines]
    assert places == [
        f"{first}:10:7",
        f"{first}:11:7",
        f"{first}:13:18",
        "What may be written there",
        f"{second}:3:3",
        "What may be written there",
    ]
    assert "unknown parent 'persons' among the selected resources; " in lines[2]


def test_nothing_of_python_is_shown(project: Path) -> None:
    wrong = RIGHT.replace("primary_key: id", "primary_key: {a: [1]}\n    tags: [x]")
    write(project, wrong.replace("resources:", "resources: {}\n  select:"))
    text = "\n".join(refusal(project))
    for word in ("Traceback", "dict", "pydantic", "{", "<", "Input"):
        assert word not in text, text
