"""Values of options that can't be meant."""

import pytest
from typer.testing import CliRunner

from timetracking_assets.cli.main import app


@pytest.mark.parametrize(
    "arguments",
    [["doctor", "--until"], ["hours", "--from"], ["hours", "--to"], ["sandbox", "--today"]],
)
def test_what_is_no_day_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "2026-13-45"], env={"COLUMNS": "120"})
    assert result.exit_code == 2
    assert "'2026-13-45' is not a day, such as 2026-01-31." in result.output


@pytest.mark.parametrize(
    "arguments", [["dev", "--port"], ["demo", "--port"], ["sandbox", "--port"]]
)
def test_a_port_that_no_machine_has_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "70000"], env={"COLUMNS": "120"})
    assert result.exit_code == 2
    assert "65535" in result.output
