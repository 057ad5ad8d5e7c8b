"""The documentation is true: the reference is the model's, every command is run, links lead."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

import timetracking_assets
from tests.support.vendors import Request, Serve
from timetracking_assets import errors
from timetracking_assets.component import load_api
from timetracking_assets.files.reference import markdown, section_of
from timetracking_assets.ingest.connection import Connection
from timetracking_assets.ingest.load.report import LoadRequest
from timetracking_assets.ingest.load.run import run_load
from timetracking_assets.ingest.windows import Window
from timetracking_assets.sandbox.catalog import KEYS
from timetracking_assets.warehouse.base import Warehouse

PACKAGE = Path(timetracking_assets.__file__).parent
REPOSITORY = PACKAGE.parent
README, CONTRIBUTING = REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"
PAGES = sorted((REPOSITORY / "docs").glob("*.md"))

# commands that other tests run, and the words by which they do
ELSEWHERE = {
    "timetracking demo": ("tests/support/demo.py", '"timetracking")), "demo"]'),
    "timetracking dev": ("tests/integration/cli/test_commands.py", '"dev", *ports'),
    "timetracking check": ("tests/integration/cli/test_own_project.py", 'call("check")'),
    "timetracking show my_api": ("tests/integration/cli/test_doctor_command.py", 'call("show"'),
    "timetracking doctor resource_management": (
        "tests/integration/cli/test_doctor_command.py",
        'call("doctor", "time_analytics")',
    ),
    "timetracking hours": ("tests/integration/cli/test_hours.py", 'call("hours")'),
    "timetracking hours --by project --csv": (
        "tests/integration/cli/test_hours.py",
        'call("hours", "--by", "project", "--csv")',
    ),
    "timetracking dashboard": ("tests/integration/cli/test_commands.py", '"dashboard", "--port"'),
    "timetracking schema > defs.schema.json": ("tests/unit/cli/test_docs.py", 'call("schema")'),
    "deploy/local-cluster --days 7 --workers 2": (
        "tests/cluster/test_backfill.py",
        '["deploy/local-cluster", "--days", "1"]',
    ),
    "dg check defs": ("tests/integration/cli/test_commands.py", '("dg", "check", "defs")'),
    "dg scaffold defs timetracking_assets.RestApi my_api --extends resource_management": (
        "tests/integration/test_other_project.py",
        '("dg", "scaffold", "defs", "timetracking_assets.RestApi")',
    ),
}


NOT_RUN = "<!-- not run by a test: "


def commands() -> list[str]:
    """The commands in the pages, but for blocks with a comment that says why no test runs them."""
    pattern = r"(^<!--[^\n]*-->\n)?^```sh\n(.*?)^```"
    blocks = [
        block
        for page in PAGES
        if page.name != "from-scratch.md"  # test_from_scratch.py runs its blocks
        for comment, block in re.findall(pattern, page.read_text(), re.DOTALL | re.MULTILINE)
        if not comment.startswith(NOT_RUN)
    ]
    return [line for block in blocks for line in block.strip().splitlines()]


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
    [example] = re.findall(r"```yaml\n(attributes:.*?)```", page, re.DOTALL)
    attributes = yaml.safe_load(example)["attributes"]
    api = load_api(attributes, None, dg.ResolutionContext.default())
    assert list(api.resources) == ["staff", "projects", "logged_time"]


def test_ci_runs_the_commands_of_the_readme() -> None:
    """`.ci/run` takes the first two of its blocks, whatever they hold."""
    install, tests, *_ = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert install == "./install.sh && .venv/bin/timetracking demo\n"
    assert tests == ".venv/bin/pytest -q\n"


def test_the_readme_is_short() -> None:
    assert len(README.read_text().split()) <= 950


def test_the_readmes_api_loads(
    serve: Serve, new_warehouse: Callable[[Path], Warehouse], tmp_path: Path
) -> None:
    """A day of two pages, of an API as the README's example describes it."""
    rows = [{"id": n, "started_at": f"2026-01-02T{n:02}:00:00Z"} for n in range(1, 4)]

    def answer(request: Request) -> tuple[Any, dict[str, str]]:
        assert request.path == "/v1/entries"
        assert request.headers["authorization"] == "Bearer my-token"
        assert request.query["from"] == "2026-01-02T00:00:00Z"
        assert request.query["to"] == "2026-01-03T00:00:00Z"
        number = int(request.query["page"])
        return {"data": rows[2 * (number - 1) : 2 * number]}, {}

    [example] = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    attributes = yaml.safe_load(example)["attributes"]
    api = load_api(attributes, None, dg.ResolutionContext.default())
    variables = {"MY_API_BASE_URL": serve(answer).url, "MY_API_TOKEN": "my-token"}
    day = Window.of_days(date(2026, 1, 2), date(2026, 1, 3))
    warehouse = new_warehouse(tmp_path)
    request = LoadRequest(Connection(api, variables), api.resources["entries"], day)
    report = run_load(request, warehouse)
    assert report.changes.inserted == 3


def test_the_schedules_and_sensors_of_the_docs_are_those_that_exist(
    definitions: dg.Definitions,
) -> None:
    page = (REPOSITORY / "docs" / "automation.md").read_text()
    documented = set(re.findall(r"^\| `<api>_(\w+)` \|", page, re.MULTILINE))
    repository = definitions.get_repository_def()
    names = [item.name for item in (*repository.sensor_defs, *repository.schedule_defs)]
    assert documented == {
        name.removeprefix(f"{api}_") for name in names for api in KEYS if name.startswith(f"{api}_")
    }


def test_the_messages_of_the_docs_are_in_the_code() -> None:
    page = (REPOSITORY / "docs" / "operate.md").read_text()
    messages = re.findall(r"^\| \*(.+?)\* \|", page, re.MULTILINE)
    code = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    assert [message for message in messages if message not in code] == []
    assert len(messages) > 10


def test_each_page_is_in_the_sites_navigation() -> None:
    text = (REPOSITORY / "mkdocs.yml").read_text()
    assert sorted(re.findall(r"^ +- .*: ([\w-]+\.md)$", text, re.MULTILINE)) == [
        page.name for page in PAGES
    ]


def test_the_version_has_its_section_in_the_changelog() -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert f"\n## [{version}]" in (REPOSITORY / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("page", [README, CONTRIBUTING, *PAGES], ids=lambda page: page.name)
def test_links_lead_to_pages(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_contributing_names_files_that_exist() -> None:
    for name in re.findall(r"`([\w./-]+(?:\.py|\.md|\.toml|\.lock|/))`", CONTRIBUTING.read_text()):
        assert (PACKAGE / name).exists() or (REPOSITORY / name).exists(), name


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
    page, section = re.findall(r"^`timetracking docs ([a-z-]+)`, section `(.+)`$", error.docs)[0]
    headings = re.findall(
        r"^#+ `?(.+?)`?$", (REPOSITORY / "docs" / f"{page}.md").read_text(), re.MULTILINE
    )
    assert section in headings
