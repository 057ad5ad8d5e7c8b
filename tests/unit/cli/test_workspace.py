"""The local directory, and what is not written there."""

from pathlib import Path

import pytest

from timetracking_assets.cli.workspace import WorkspaceError, open_workspace


def test_a_named_instance_and_warehouse_leave_the_directory_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TIMETRACKING_HOME", "DAGSTER_HOME", "TIMETRACKING_WAREHOUSE"):
        monkeypatch.delenv(name, raising=False)
    assert (open_workspace(tmp_path / "a").home / "dagster_home" / "dagster.yaml").is_file()

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "instance"))
    monkeypatch.setenv("TIMETRACKING_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    workspace = open_workspace(tmp_path / "b")

    assert workspace.environment["DAGSTER_HOME"] == str(tmp_path / "instance")
    assert workspace.environment["DAGSTER_EVENT_BATCH_SIZE"] == "50"
    assert not (tmp_path / "b").exists()


def test_a_value_that_no_variable_can_hold_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"CLOCK_TOKEN=half\0half\n")
    with pytest.raises(WorkspaceError, match=r"\.env: 'CLOCK_TOKEN' holds a NUL character"):
        open_workspace(tmp_path)
