"""What `status` and `dashboard` say when they can't do their work: one line, exit code 1."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from timetracking_assets.cli.main import app
from timetracking_assets.health.server import listen


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    """A directory of its own; the commands set variables, which are taken back."""
    names = {name: value for name, value in os.environ.items() if "TIMETRACKING" not in name}
    with patch.dict(os.environ, {**names, "TIMETRACKING_HOME": str(tmp_path)}, clear=True):
        yield tmp_path


def refusal(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    return result.stderr


def test_a_port_in_use() -> None:
    with listen(0) as taken:
        port = str(taken.getsockname()[1])
        reported = refusal("dashboard", "--port", port)
    assert reported.startswith(f"can't serve at port {port}: Address already in use")
    assert "--port" in reported


def test_an_invalid_address() -> None:
    os.environ["TIMETRACKING_UI_URL"] = "javascript:alert(1)"
    assert "must be http or https" in refusal("dashboard", "--port", "0")


def test_a_directory_that_cannot_be_written(home: Path) -> None:
    file = home / "file"
    file.touch()
    os.environ["TIMETRACKING_HOME"] = str(file)
    assert "Set TIMETRACKING_HOME" in refusal("status")


def test_a_code_location_that_cannot_be_loaded() -> None:
    os.environ["TIMETRACKING_AUTOMATION"] = "yes"
    message = refusal("status")
    assert message.startswith("the code location timetracking_assets.definitions can't be loaded: ")
    assert message.endswith("TIMETRACKING_AUTOMATION is 'yes': it must be `on` or `off`\n")
