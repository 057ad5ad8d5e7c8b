"""The documentation is true: the reference is the model's, every command is run, links lead."""

from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
import pytest
import yaml

import timetracking_assets
from timetracking_assets import errors
from timetracking_assets.component import load_api
from timetracking_assets.files.reference import markdown, section_of

REPOSITORY = Path(timetracking_assets.__file__).parents[1]
PAGES = sorted((REPOSITORY / "docs").glob("*.md"))

# commands that other tests run, and the words by which they do
ELSEWHERE = {
    "timetracking demo": ("tests/support/demo.py", '"timetracking")), "demo"]'),
    "timetracking dev": ("tests/integration/test_commands.py", '[command, "dev", *ports]'),
    "timetracking show my_api": ("tests/integration/test_doctor_command.py", 'call("show"'),
    "timetracking doctor resource_management": (
        "tests/integration/test_doctor_command.py",
        'call("doctor", "time_analytics")',
    ),
    "dg check defs": ("tests/integration/test_commands.py", '("dg", "check", "defs")'),
    "dg scaffold defs timetracking_assets.RestApi my_api --extends resource_management": (
        "tests/integration/test_other_project.py",
        '("dg", "scaffold", "defs", "timetracking_assets.RestApi")',
    ),
}


def commands() -> list[str]:
    found = []
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            found += block.strip().splitlines()
    return found


def test_the_reference_is_the_models() -> None:
    page = (REPOSITORY / "docs" / "reference.md").read_text()
    assert page == markdown(), (
        "run `python -m timetracking_assets.files.reference > docs/reference.md`"
    )


@pytest.mark.parametrize("command", commands())
def test_each_command_is_run_by_a_test(command: str) -> None:
    file, words = ELSEWHERE[command]
    assert words in (REPOSITORY / file).read_text()


def test_the_example_is_a_file_that_loads() -> None:
    page = (REPOSITORY / "docs" / "connect.md").read_text()
    [example] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    attributes = yaml.safe_load(example)["attributes"]
    api = load_api(attributes, None, dg.ResolutionContext.default())
    assert list(api.resources) == ["staff", "projects", "logged_time"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_pages(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    ("path", "section"),
    [
        ((), "attributes"),
        (("resources", 3, "window", "max_days"), "window"),
        (("resources", 3, "columns", "id", "data_type"), "columns"),
        (("resources", 3, "endpoint", "path"), "resources"),
        (("resource_defaults", "page_size"), "resource_defaults"),
    ],
)
def test_an_error_names_a_section_that_there_is(path: tuple[str | int, ...], section: str) -> None:
    assert section_of(path) == section
    assert f"## `{section}`" in markdown()


ERRORS = [
    item
    for item in vars(errors).values()
    if isinstance(item, type) and issubclass(item, errors.IngestError)
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda item: item.__name__)
def test_an_error_of_a_run_names_a_section_that_there_is(
    error: type[errors.IngestError],
) -> None:
    page, section = re.findall(r"^(docs/[a-z-]+\.md), section `(.+)`$", error.docs)[0]
    headings = re.findall(r"^#+ `?(.+?)`?$", (REPOSITORY / page).read_text(), re.MULTILINE)
    assert section in headings
