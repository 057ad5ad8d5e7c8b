"""A stranger's project with one API: every command works on it, and on nothing else.

The wheel is installed by pip into an environment of its own; the API is served by a mock that is
not the sandbox.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import ProxyHandler, build_opener

import duckdb
import pytest

import timetracking_assets
from timetracking_assets.sandbox.catalog import KEYS

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.duckdb_only(reason="about packages; it loads into a file"),
]

REPOSITORY = Path(timetracking_assets.__file__).parents[1]
ENTRIES = [{"id": n, "hours": 1.5, "started_at": "2026-01-05T08:00:00Z"} for n in range(1, 8)]
DEFS = """\
type: timetracking_assets.RestApi
attributes:
  name: clock
  client:
    base_url: ${CLOCK_BASE_URL}
    auth: {type: bearer, token: "${CLOCK_TOKEN}"}
  resources:
    - name: entries
      primary_key: id
      endpoint: {path: v1/entries, data_selector: data, paginator: single_page}
      columns: {started_at: {data_type: timestamp, nullable: false}}
"""
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with our wheel, installed by pip, away from the repository.

    Its dependencies are those of the environment that runs the tests: pip needs no network.
    """
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    [wheel] = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=120)
    python = folder / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    [site] = (folder / "venv" / "lib").glob("python*/site-packages")
    # a .pth in a folder that is added this way is not read: ours is not the editable one
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The address of an API with one list, for whoever has the token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == "Bearer the-clock-token"
            body = json.dumps({"data": ENTRIES} if known else {"error": "who are you?"}).encode()
            self.send_response(200 if known else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, api: str) -> Path:
    """A `dg` project, as `create-dagster project` makes it."""
    root = tmp_path_factory.mktemp("project")
    (root / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "agency"\n'
    )
    package = root / "src" / "agency"
    (package / "defs" / "clock").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "definitions.py").write_text(
        "from pathlib import Path\n\nfrom dagster import definitions, load_from_defs_folder\n\n\n"
        "@definitions\ndef defs():\n"
        "    return load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
    )
    (package / "defs" / "warehouse.py").write_text(
        "import dagster as dg\nfrom timetracking_assets import WarehouseResource\n\n"
        'path = dg.EnvVar("AGENCY_FILE")\n'
        'defs = dg.Definitions(resources={"warehouse": WarehouseResource(path=path)})\n'
    )
    (package / "defs" / "clock" / "defs.yaml").write_text(DEFS)
    file = root / "data" / "agency.duckdb"
    (root / ".env").write_text(
        f"CLOCK_BASE_URL={api}\nCLOCK_TOKEN=the-clock-token\nAGENCY_FILE={file}\n"
    )
    return root


@pytest.fixture
def environment(clean_environment: Mapping[str, str]) -> dict[str, str]:
    hidden = {"PYTHONPATH", "VIRTUAL_ENV"}
    kept = {name: value for name, value in clean_environment.items() if name not in hidden}
    return {**kept, "COLUMNS": "80"}


@pytest.fixture
def call(python: Path, project: Path, environment: dict[str, str]) -> Call:
    """`call(*arguments, cwd=..., variable=...)`: run `timetracking` in the project."""

    def call(
        *arguments: str, cwd: Path = project, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [str(python.with_name("timetracking")), *arguments],
            cwd=cwd,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=180,
        )
        _names_nothing_of_ours(result.stdout + result.stderr)
        return result

    return call


def _names_nothing_of_ours(printed: str) -> None:
    assert [name for name in (*KEYS, "sandbox", "Traceback") if name in printed] == [], printed


def test_every_command_works_on_the_project(
    call: Call, project: Path, python: Path, environment: dict[str, str]
) -> None:
    """In the order in which someone tries them; the last one from a folder of the project."""
    never = call("status")
    assert never.returncode == 0, never.stderr
    assert "DAGSTER_HOME" in never.stdout

    examined = call("doctor", "--json")
    assert [item["api"] for item in json.loads(examined.stdout)] == ["clock"], examined.stderr
    checked = call("check")
    assert (checked.stdout, checked.returncode) == ("clock: 1 resource\nNo mistakes.\n", 0)
    shown = call("show", "clock")
    assert "${CLOCK_TOKEN}" in shown.stdout

    demo = call("demo")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "1 of 1 asset loaded and green" in demo.stdout
    with duckdb.connect(str(project / "data" / "agency.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM clock.entries").fetchall() == [(7,)]

    status = call("status", "--json", cwd=project / "src" / "agency")
    [asset] = json.loads(status.stdout)["assets"]
    assert (asset["asset"], asset["state"], asset["rows"]) == ("clock/entries", "ok", 7)
    table = call("status")
    assert "entries" in table.stdout
    assert max(map(len, table.stdout.splitlines())) <= 80

    # the project has no model of hours
    hours = call("hours")
    assert hours.returncode == 1
    assert "the project has no model of hours" in hours.stderr
    assert "timetracking docs hours" in hours.stderr

    published = call("publish")
    assert published.returncode == 0, published.stderr
    assert list((project / "data").glob("*.published.duckdb"))

    port = _free_port()
    command = [str(python.with_name("timetracking")), "dashboard", "--port", str(port)]
    with subprocess.Popen(command, cwd=project, env=environment) as served:
        try:
            page = _get(f"http://127.0.0.1:{port}", served)
        finally:
            served.send_signal(signal.SIGINT)
    assert "clock" in page
    _names_nothing_of_ours(page)


def test_all_mistakes_of_all_files_are_named(call: Call, project: Path) -> None:
    """By every command that reads the files in the same words, with no frame around them."""
    folder = project / "src" / "agency" / "defs"
    wrong = [(folder / name).with_suffix("") / "defs.yaml" for name in ("late", "later")]
    for path in wrong:
        path.parent.mkdir()
        path.write_text(DEFS.replace("name: clock", f"name: {path.parent.name}"))
    wrong[0].write_text(wrong[0].read_text().replace("data_selector", "data_selectr"))
    wrong[1].write_text(wrong[1].read_text().replace("timestamp", "timestmp"))
    try:
        for command in ("check", "doctor"):
            result = call(command)
            assert result.returncode == 1, command
            assert f"{wrong[0]}:10:36: resources.entries.endpoint.data_selectr" in result.stderr
            assert "did you mean `data_selector`?" in result.stderr
            assert f"{wrong[1]}:11:" in result.stderr
            assert 'File "' not in result.stderr
    finally:
        for path in wrong:
            path.unlink()
            path.parent.rmdir()


def test_what_is_not_set_is_named(call: Call) -> None:
    for command in ("demo", "dev", "doctor"):
        result = call(command, CLOCK_TOKEN="", CLOCK_BASE_URL="")
        assert result.returncode == 1, command
        assert "CLOCK_BASE_URL, CLOCK_TOKEN" in result.stderr
        assert ".env" in result.stderr


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_dev(
    python: Path, project: Path, environment: dict[str, str], tmp_path: Path, number: int
) -> None:
    """A signal to it alone, as a container's init sends it: its processes end with it.

    So they do where it began with SIGINT ignored, as the job of a script does.
    """
    port = _free_port()
    log = tmp_path / "dev.log"
    with log.open("w") as printed:
        dev = subprocess.Popen(
            [str(python.with_name("timetracking")), "dev", "--port", str(port)],
            cwd=project,
            env=environment,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
            # as the background job of a shell
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
    started: set[int] = set()
    try:
        assert "dagster_webserver" in _get(f"http://127.0.0.1:{port}/server_info", dev)
        started = _descendants(dev.pid)
        assert len(started) >= 4
        os.kill(dev.pid, number)
        assert dev.wait(60) == 0, log.read_text()
        assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
    finally:
        for pid in {dev.pid, *started}:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)
    printed_text = log.read_text()
    _names_nothing_of_ours(printed_text)
    assert len(re.findall("warning", printed_text, re.IGNORECASE)) <= 1, printed_text


def test_a_taken_port_starts_nothing(call: Call) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        result = call("dev", "--port", str(port))
    assert result.returncode == 1
    assert f"can't serve at port {port}: Address already in use" in result.stderr
    assert "Dagster UI" not in result.stdout


def _descendants(pid: int) -> set[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    children = {int(child) for child in listed.read_text().split()} if listed.exists() else set()
    return children.union(*map(_descendants, children))


def _get(url: str, process: subprocess.Popen[Any]) -> str:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            with opener.open(url, timeout=60) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"no answer at {url}")


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        return int(unused.getsockname()[1])
