"""What an answer changes is counted before the load, from the files that will be loaded."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from timetracking_assets.errors import IngestError
from timetracking_assets.ingest.load.changes import Changes, StagedAnswer
from timetracking_assets.ingest.load.merge import refuse_large_removal
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import OpenWarehouse
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

MakeResource = Callable[..., Resource]
Stage = Callable[[str], list[str]]
MODES = ["snapshot", "window", "changes"]
TODAY = Window.of_days(date(2026, 1, 2), date(2026, 1, 3))
TABLE = """
    SELECT * FROM (VALUES
        (1, DATE '2026-01-01', 'a', '[1, 2]'::JSON),
        (2, DATE '2026-01-02', 'b', NULL),
        (3, DATE '2026-01-02', NULL, '{"x": 1}'),
        (4, DATE '2026-01-03', 'd', NULL)
    ) AS t(id, day, text, tags)
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[OpenWarehouse]:
    with DuckDBFile(tmp_path / "w.duckdb").exclusive("a test") as held:
        held.scratch.execute("CREATE SCHEMA hours")
        yield held


@pytest.fixture
def table(warehouse: OpenWarehouse) -> OpenWarehouse:
    warehouse.scratch.execute(f"CREATE TABLE hours.entries AS {TABLE}")
    return warehouse


@pytest.fixture
def stage(warehouse: OpenWarehouse, tmp_path: Path) -> Stage:
    """Writes a query's rows as Parquet, JSON as text, as a load does."""
    written: list[str] = []

    def write(query: str) -> list[str]:
        path = str(tmp_path / f"it's {len(written)}.parquet")
        escaped = path.replace("'", "''")
        warehouse.scratch.execute(f"COPY ({query}) TO '{escaped}' (FORMAT parquet)")
        written.append(path)
        return list(written)

    return write


@pytest.fixture
def entries(resource: MakeResource) -> Callable[..., Resource]:
    def make(mode: str, **given: Any) -> Resource:
        window = None if mode == "snapshot" else "day"
        return resource(sync_mode=mode, window=window, columns={"day": "date"}, **given)

    return make


def staged(*rows: str) -> str:
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS s(id, day, text, tags)"


def window_of(mode: str) -> Window | None:
    return None if mode == "snapshot" else TODAY


@pytest.mark.parametrize("mode", MODES)
def test_a_first_load_inserts_each_key_once(
    warehouse: OpenWarehouse, stage: Stage, entries: Callable[..., Resource], mode: str
) -> None:
    files = stage(staged("(1, DATE '2026-01-02', 'a', '')", "(1, DATE '2026-01-02', 'b', '')"))
    changes = StagedAnswer(warehouse, entries(mode), files, window_of(mode)).changes()
    assert changes == Changes(rows=2, distinct_keys=1, inserted=1, repeated_keys=(("1",),))


@pytest.mark.parametrize(("mode", "deleted"), [("snapshot", 2), ("window", 1), ("changes", 0)])
def test_the_modes_differ_in_what_they_remove(
    table: OpenWarehouse, stage: Stage, entries: Callable[..., Resource], mode: str, deleted: int
) -> None:
    files = stage(
        staged(
            "(1, DATE '2026-01-02', 'a', '[1, 2]')",  # moved here from another day
            "(2, DATE '2026-01-02', 'b', NULL)",
            "(9, DATE '2026-01-02', 'new', NULL)",
        )
    )
    changes = StagedAnswer(table, entries(mode), files, window_of(mode)).changes()
    assert changes == Changes(
        rows=3,
        distinct_keys=3,
        inserted=1,
        updated=1,
        unchanged=1,
        deleted=deleted,
        rows_before=4,
    )


@pytest.mark.parametrize(("mode", "deleted"), [("snapshot", 4), ("window", 2), ("changes", 0)])
@pytest.mark.parametrize("files", ["none", "one without rows"])
def test_an_empty_answer(
    table: OpenWarehouse,
    stage: Stage,
    entries: Callable[..., Resource],
    mode: str,
    deleted: int,
    files: str,
) -> None:
    staged_files = [] if files == "none" else stage(f"{TABLE} WHERE false")
    changes = StagedAnswer(table, entries(mode), staged_files, window_of(mode)).changes()
    assert changes == Changes(deleted=deleted, rows_before=4)


def test_an_empty_answer_for_a_table_with_text_keys(
    warehouse: OpenWarehouse, entries: Callable[..., Resource]
) -> None:
    warehouse.scratch.execute("CREATE TABLE hours.entries AS SELECT 'abc' AS id")
    changes = StagedAnswer(warehouse, entries("snapshot"), [], None).changes()
    assert changes == Changes(deleted=1, rows_before=1)


@pytest.mark.parametrize(
    ("row", "updated"),
    [
        ("(1, DATE '2026-01-01', 'a', '[1, 2]')", 0),
        ("(1, DATE '2026-01-01', 'A', '[1, 2]')", 1),
        ("(1, DATE '2026-01-01', NULL, '[1, 2]')", 1),
        ("(1, DATE '2026-01-01', 'a', NULL)", 1),
        ("(1, DATE '2026-01-01', 'a', '[2, 1]')", 1),
        ("(3, DATE '2026-01-02', NULL, '{\"x\": 1}')", 0),
        ("(3, DATE '2026-01-02', '', '{\"x\": 1}')", 1),
    ],
)
def test_values_nulls_and_json_are_compared(
    table: OpenWarehouse, stage: Stage, entries: Callable[..., Resource], row: str, updated: int
) -> None:
    changes = StagedAnswer(table, entries("changes"), stage(staged(row)), TODAY).changes()
    assert (changes.updated, changes.unchanged) == (updated, 1 - updated)


def test_new_and_missing_columns(
    table: OpenWarehouse, stage: Stage, entries: Callable[..., Resource]
) -> None:
    known = "SELECT 2 AS id, DATE '2026-01-02' AS day, 'b' AS text"
    files = stage(known)
    assert StagedAnswer(table, entries("changes"), files, TODAY).changes().unchanged == 1
    files = stage("SELECT 4 AS id, DATE '2026-01-03' AS day, 'd' AS text, NULL::BIGINT AS fresh")
    assert StagedAnswer(table, entries("changes"), files, TODAY).changes().unchanged == 2
    files = stage("SELECT 3 AS id, DATE '2026-01-02' AS day, '{\"x\": 1}' AS tags, 5 AS fresh")
    assert StagedAnswer(table, entries("changes"), files, TODAY).changes() == Changes(
        rows=3, distinct_keys=3, updated=1, unchanged=2, rows_before=4
    )


def test_composite_keys(
    warehouse: OpenWarehouse, stage: Stage, entries: Callable[..., Resource]
) -> None:
    rows = "SELECT * FROM (VALUES (1, 'a', 1), (1, 'b', 2), (2, 'a', 3)) AS t(id, part, n)"
    warehouse.scratch.execute(f"CREATE TABLE hours.entries AS {rows}")
    files = stage(
        "SELECT * FROM (VALUES (1, 'a', 1), (1, 'b', 9), (1, 'b', 9), (2, 'b', 3)) t(id, part, n)"
    )
    both = entries("snapshot", primary_key=("id", "part"))
    assert StagedAnswer(warehouse, both, files, None).changes() == Changes(
        rows=4,
        distinct_keys=3,
        inserted=1,
        updated=1,
        unchanged=1,
        deleted=1,
        rows_before=3,
        repeated_keys=(("1", "b"),),
    )


def test_rows_afterwards(
    table: OpenWarehouse, stage: Stage, entries: Callable[..., Resource]
) -> None:
    files = stage(staged("(2, DATE '2026-01-02', 'b', NULL)", "(9, DATE '2026-01-02', '', NULL)"))
    answer = StagedAnswer(table, entries("window"), files, TODAY)
    assert answer.after(Changes()) == Changes(row_count=4, window_row_count=2, keys_held=1)
    answer = StagedAnswer(table, entries("snapshot"), files, None)
    assert answer.after(Changes()) == Changes(row_count=4, keys_held=1)


@pytest.mark.parametrize(("mode", "deleted"), [("snapshot", 3), ("window", 2), ("changes", 1)])
def test_rows_marked_as_deleted(
    table: OpenWarehouse, stage: Stage, entries: Callable[..., Resource], mode: str, deleted: int
) -> None:
    """1 lies in another window, 2 stays, 8 was never here."""
    files = stage(
        "SELECT * FROM (VALUES (1, DATE '2026-01-02', '', NULL, DATE '2026-01-05'), "
        "(2, DATE '2026-01-02', 'b', NULL, NULL), (8, DATE '2026-01-02', '', NULL, "
        "DATE '2026-01-05')) AS s(id, day, text, tags, gone)"
    )
    resource = entries(mode, deleted_field="gone")
    changes = StagedAnswer(table, resource, files, window_of(mode)).changes()
    assert changes == Changes(
        rows=1, distinct_keys=1, marked=2, unchanged=1, deleted=deleted, rows_before=4
    )


@pytest.mark.parametrize(
    ("mode", "before", "deleted", "refused"),
    [
        ("snapshot", 100, 20, False),
        ("snapshot", 100, 21, True),
        ("snapshot", 20, 20, False),
        ("snapshot", 21, 5, True),
        ("window", 100, 100, False),
        ("changes", 100, 100, False),
    ],
)
def test_a_snapshot_that_would_remove_too_much_is_refused(
    entries: Callable[..., Resource], mode: str, before: int, deleted: int, refused: bool
) -> None:
    changes = Changes(rows_before=before, deleted=deleted)
    if not refused:
        refuse_large_removal(entries(mode), changes)
        return
    with pytest.raises(IngestError) as error:
        refuse_large_removal(entries(mode), changes)
    assert f"would remove {deleted} of {before} rows, more than 20%" in str(error.value)
    assert "`ops: {hours__entries: {config: {allow_removal: true}}}`" in str(error.value)


def test_without_a_key_equal_rows_stay_and_the_others_go_or_come(
    table: OpenWarehouse, stage: Stage, entries: Callable[..., Resource]
) -> None:
    """Rows that stand twice count twice; a column that only one side has is null on the other."""
    keyless = entries("snapshot", primary_key=())
    files = stage(
        staged(
            "(1, DATE '2026-01-01', 'a', '[1, 2]')",
            "(2, DATE '2026-01-02', 'b', NULL)",
            "(2, DATE '2026-01-02', 'b', NULL)",
            "(3, DATE '2026-01-02', 'changed', '{\"x\": 1}')",
        )
    )
    answer = StagedAnswer(table, keyless, files, None)
    counted = Changes(rows=4, distinct_keys=4, inserted=2, unchanged=2, deleted=2, rows_before=4)
    assert answer.changes() == counted
    assert answer.after(counted).keys_held == answer.after(counted).row_count == 4
    files = stage("SELECT 4 AS id, DATE '2026-01-03' AS day, 'd' AS text, 1 AS fresh")[-1:]
    assert StagedAnswer(table, keyless, files, None).changes().unchanged == 0


@pytest.mark.parametrize("stands", [True, False])
def test_an_empty_answer_without_a_key(
    warehouse: OpenWarehouse, entries: Callable[..., Resource], stands: bool
) -> None:
    if stands:
        warehouse.scratch.execute(f"CREATE TABLE hours.entries AS {TABLE}")
    changes = StagedAnswer(warehouse, entries("snapshot", primary_key=()), [], None).changes()
    assert changes == (Changes(deleted=4, rows_before=4) if stands else Changes())


@pytest.mark.parametrize(("inserted", "refused"), [(79, True), (80, False)])
def test_without_a_key_only_the_number_of_rows_may_not_shrink(
    entries: Callable[..., Resource], inserted: int, refused: bool
) -> None:
    keyless = entries("snapshot", primary_key=())
    changes = Changes(rows_before=100, deleted=100, inserted=inserted)
    if not refused:
        refuse_large_removal(keyless, changes)
        return
    with pytest.raises(IngestError, match="would remove 21 of 100 rows"):
        refuse_large_removal(keyless, changes)
