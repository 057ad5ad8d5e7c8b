"""A DuckDB file is opened by an instance that is kept, and is free again when it is closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from timetracking_assets.warehouse import duckdb_instances
from timetracking_assets.warehouse.duckdb_file import DuckDBFile
from timetracking_assets.warehouse.duckdb_instances import OpenFile

WRITE = "CREATE TABLE t AS SELECT 1 AS a"


def _in_another_process(path: Path) -> str:
    script = f"import duckdb; print(duckdb.connect({str(path)!r}).sql('FROM t').fetchall())"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return run.stdout.strip() or run.stderr


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What each call of `duckdb.connect` was given, where instances are made."""
    calls: list[object] = []

    def connect(*given: object, **named: object) -> duckdb.DuckDBPyConnection:
        calls.append(given or named)
        return original(*given, **named)  # type: ignore[arg-type]

    original = duckdb.connect
    monkeypatch.setattr(duckdb_instances.duckdb, "connect", connect)
    return calls


def test_a_file_is_opened_again_without_a_new_instance(tmp_path: Path, made: list[object]) -> None:
    path = tmp_path / "w.duckdb"
    for number in range(3):
        file = OpenFile(path)
        file.connection.execute(f"CREATE TABLE t_{number} AS SELECT 1 AS a")
        file.close()
    assert len(made) == 1
    assert duckdb.sql("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("failed", [False, True])
def test_a_closed_file_is_complete_and_free(tmp_path: Path, *, failed: bool) -> None:
    path = tmp_path / "w.duckdb"
    file = OpenFile(path)
    file.connection.execute(WRITE)
    assert "Conflicting lock" in _in_another_process(path)
    file.close(failed=failed)
    assert not Path(f"{path}.wal").exists()
    assert _in_another_process(path) == "[(1,)]"


def test_nothing_of_a_session_is_left_in_the_next(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    file = OpenFile(path)
    file.connection.execute("CREATE TEMP TABLE keys AS SELECT 1")
    file.connection.execute("BEGIN; CREATE TABLE t(a int)")
    file.close()
    file = OpenFile(path)
    tables = file.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    file.close()
    assert tables == []


def test_a_file_that_this_process_has_open_is_shared(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as own:
        file = OpenFile(path)
        file.connection.execute(WRITE)
        assert own.sql("FROM t").fetchall() == [(1,)]
        file.close()
        assert own.sql("FROM t").fetchall() == [(1,)]


def test_two_files_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    files = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        files.append(OpenFile(tmp_path / folder / "w.duckdb"))
    files[0].connection.execute(WRITE)
    assert files[1].connection.execute("SELECT * FROM duckdb_tables()").fetchall() == []
    for file in files:
        file.close()


@pytest.mark.parametrize("name", ["memory.duckdb", "it is here.duckdb", "temp", "x.y.duckdb"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    with DuckDBFile(tmp_path / name).exclusive("a test", dataset="hours") as opened:
        opened.change("CREATE SCHEMA hours; CREATE TABLE hours.entries AS SELECT 1 AS id")
        assert opened.column_types("hours", "entries") == {"id": "INTEGER"}
    with duckdb.connect(str(tmp_path / name), read_only=True) as connection:
        assert connection.sql("FROM hours.entries").fetchall() == [(1,)]


def test_an_api_may_be_called_memory(tmp_path: Path) -> None:
    with DuckDBFile(tmp_path / "w.duckdb").exclusive("a test", dataset="memory") as opened:
        opened.change("CREATE SCHEMA memory; CREATE TABLE memory.entries AS SELECT 1 AS id")
        assert opened.rows("FROM memory.entries") == [(1,)]


def test_what_does_not_fit_into_memory_goes_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    file = OpenFile(path)
    query = "SELECT current_setting('temp_directory')"
    assert file.connection.execute(query).fetchall() == [(f"{path}.tmp",)]
    file.connection.execute("SET memory_limit = '50MB'")
    file.connection.execute("CREATE TEMP TABLE t AS SELECT random() FROM range(10_000_000)")
    assert Path(f"{path}.tmp").exists()
    file.close()
    assert not Path(f"{path}.tmp").exists()


def test_a_process_and_its_fork_end_without_a_word(tmp_path: Path) -> None:
    script = f"""
import os
from pathlib import Path
from timetracking_assets.warehouse.duckdb_instances import OpenFile
for name in ("a", "b", "c"):
    file = OpenFile(Path({str(tmp_path)!r}) / name)
    file.connection.execute({WRITE!r})
    file.close()
if os.fork() == 0:
    file = OpenFile(Path({str(tmp_path)!r}) / "c")
    print(file.connection.execute("FROM t").fetchall())
    file.close()
else:
    _, status = os.wait()
    print(status)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (run.stdout.split(), run.stderr) == (["[(1,)]", "0"], "")
