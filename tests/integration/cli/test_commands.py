"""The commands that people and tools call, as processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import dagster as dg
import pytest

import timetracking_assets
from timetracking_assets.sandbox.catalog import KEYS

if TYPE_CHECKING:
    from tests.support.demo import Demo
    from timetracking_assets.sandbox import SandboxServer

pytestmark = pytest.mark.timeout(600)

PROJECT = Path(timetracking_assets.__file__).parents[1]
NAMES = [f"{api}/{resource}" for api, resources in KEYS.items() for resource in resources]
CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
def call(
    clean_environment: Mapping[str, str], tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call a command of the environment that runs the tests, with nothing configured."""

    def call(
        *command: str, cwd: Path = tmp_path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        home = tmp_path / "dagster_home"
        home.mkdir(exist_ok=True)
        (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        given = {"DAGSTER_HOME": str(home)} if command[0] != "timetracking" else {}
        return subprocess.run(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            cwd=cwd,
            env={**clean_environment, "COLUMNS": "160", **given, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return call


@pytest.mark.duckdb_only(reason="loads nothing")
def test_dg_lists_all_definitions(call: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    result = call("dg", "list", "defs", "--json", cwd=PROJECT)
    assert result.returncode == 0, result.stderr
    listed = json.loads(result.stdout[result.stdout.index("{") :])
    names = sorted(asset["asset_key"] for asset in listed["assets"])
    hours = [name for name in names if name.startswith("hours/")]
    assert names == sorted([*NAMES, "health_report", *hours])
    assert hours
    assert len(listed["asset_checks"]) > 3 * len(NAMES)


@pytest.mark.duckdb_only(reason="loads nothing")
@pytest.mark.parametrize(
    "command",
    [
        ("dg", "check", "yaml"),
        ("dg", "check", "defs"),
        ("dagster", "definitions", "validate", "-w", "workspace.yaml"),
    ],
    ids=" ".join,
)
def test_dagster_finds_the_project_sound(
    call: Callable[..., subprocess.CompletedProcess[str]], command: tuple[str, ...]
) -> None:
    result = call(*command, cwd=PROJECT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_demo_shows_what_it_did(demo: Demo) -> None:
    assert demo.code == 0, demo.output
    for api, resources in KEYS.items():
        _, _, rest = demo.output.partition(f"\n {api} ")
        for resource in resources:
            assert re.search(rf"^   {resource} .* \d+ of \d+ passed", rest, re.MULTILINE), resource
    assert "51 of 51 assets loaded and green" in demo.output
    assert "timetracking dev" in demo.output
    assert "sandbox at http://127.0.0.1:" in demo.output
    with demo.instance() as instance:
        runs = instance.get_runs()
        assert runs
        assert all(run.status == dg.DagsterRunStatus.SUCCESS for run in runs)


def test_demo_of_an_api_that_refuses(
    call: Callable[..., subprocess.CompletedProcess[str]],
    sandbox: SandboxServer,
    late_start: Mapping[str, str],
) -> None:
    """One API is configured: it alone is loaded, the others are named, no sandbox steps in."""
    body = "nobody [/bold] may read this"
    sandbox.control.place_fault("status", status=403, body=body, path="/(users|projects)$")
    settings = sandbox.environment
    given = {name: settings[name] for name in settings if name.startswith("TIME_ANALYTICS_")}
    result = call("timetracking", "demo", **given, **late_start)
    output = result.stdout + result.stderr
    assert result.returncode == 1, output
    # three of the API's seven, and the fifteen of the model of hours
    assert "18 of 22 assets loaded" in output
    # the API's words are shown as they are, not as markup
    assert re.search(rf"time_analytics/projects: .*HTTP 403.*{re.escape(body)}", output)
    # a failed parent is told from children that were never started
    assert re.search(r"time_analytics/tasks: not run", output)
    assert "sandbox at" not in output
    assert given["TIME_ANALYTICS_API_KEY"] not in output
    for api in KEYS:
        assert (f"{api} is not configured" in output) == (api != "time_analytics")
    assert "TIME_TRACKING_API_KEY" in output
    assert {request["api"] for request in sandbox.control.requests()} == {"time_analytics"}


@pytest.mark.parametrize("command", ["demo", "dev"])
def test_half_configured_never_means_the_sandbox(
    call: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, command: str
) -> None:
    (tmp_path / ".env").write_text("RESOURCE_MANAGEMENT_API_TOKEN=some-token\n")
    result = call("timetracking", command)
    output = result.stdout + result.stderr
    assert result.returncode == 1
    assert "RESOURCE_MANAGEMENT_BASE_URL" in output
    assert "RESOURCE_MANAGEMENT_API_TOKEN" not in output
    assert "sandbox at" not in output


Serve = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def serving(
    demo: Demo, clean_environment: Mapping[str, str], late_start: Mapping[str, str], tmp_path: Path
) -> Serve:
    """`serving(url, *arguments)`: `timetracking` with these arguments, once it answers at `url`."""

    @contextmanager
    def serve(url: str, *arguments: str) -> Iterator[None]:
        command = str(Path(sys.executable).with_name("timetracking"))
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(
                [command, *arguments],
                cwd=tmp_path,
                env={**clean_environment, **late_start, "TIMETRACKING_HOME": str(demo.home)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                _wait_for(url, process, tmp_path / "log")
                yield
            finally:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)

    return serve


@pytest.fixture
def ui(serving: Serve) -> Iterator[str]:
    """`timetracking dev` on the demo's instance; gives its address."""
    port = str(_free_port())
    url = f"http://127.0.0.1:{port}"
    ports = ["--port", port, "--sandbox-port", str(_free_port())]
    with serving(f"{url}/server_info", "dev", *ports):
        yield url


def test_the_dashboard_is_served(serving: Serve) -> None:
    port = str(_free_port())
    with serving(f"http://127.0.0.1:{port}", "dashboard", "--port", port):
        page = build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}").read().decode()
    assert all(name in page for name in NAMES)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            opener.open(url, timeout=5).close()
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"no UI after 90 s: {log.read_text()}")


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no Chromium here")
def test_the_demo_is_seen_in_the_ui(ui: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    asset = f"{ui}/assets/workspace_time/organizations"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        page.set_default_timeout(45_000)

        page.goto(f"{asset}?view=lineage")
        page.get_by_text("organizations_users").first.wait_for()
        page.get_by_text("5 / 5 Passed").nth(2).wait_for()
        page.screenshot(path=tmp_path / "graph.png")

        page.goto(f"{asset}?view=checks")
        page.get_by_text("primary_key_unique").first.wait_for()
        page.get_by_text("Passed", exact=True).first.wait_for()
        page.screenshot(path=tmp_path / "check.png")

        # the daemon judges freshness, some seconds after it has started
        page.goto(asset)
        page.get_by_text("Freshness policy").first.wait_for()
        page.get_by_text("Passing", exact=True).first.wait_for()
        page.screenshot(path=tmp_path / "freshness.png")

        page.goto(f"{asset}?view=events")
        page.get_by_text("rows_extracted").first.wait_for()
        page.get_by_text("workspace_time.organizations").first.wait_for()
        page.screenshot(path=tmp_path / "run.png")
        browser.close()


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
