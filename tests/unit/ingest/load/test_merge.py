"""Of the rows with the same key the last one is loaded, whichever file it is in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from timetracking_assets.ingest.load.merge import drop_duplicates
from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import literal
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

MakeResource = Callable[..., Resource]


@pytest.mark.parametrize("keys", [("id",), ("id", "day")])
def test_the_last_row_of_a_key_is_kept(
    tmp_path: Path, resource: MakeResource, keys: tuple[str, ...]
) -> None:
    with DuckDBFile(tmp_path / "w.duckdb").exclusive("a test") as held:
        files = [str(tmp_path / f"it's {number}.parquet") for number in range(2)]
        rows = ["(1, 1, 'a'), (2, 1, 'b'), (1, 2, 'c'), (1, 1, 'd')", "(3, 1, 'e'), (2, 1, 'f')"]
        for file, values in zip(files, rows, strict=True):
            held.scratch.execute(
                f"COPY (SELECT * FROM (VALUES {values}) t(id, day, text)) "
                f"TO {literal(file)} (FORMAT parquet)"
            )
        drop_duplicates(held, resource(primary_key=keys), files)
        kept = [
            [text for (text,) in held.rows(f"SELECT text FROM read_parquet({literal(file)})")]
            for file in files
        ]
    assert kept == [["d"] if keys == ("id",) else ["c", "d"], ["e", "f"]]
    assert sorted(path.name for path in tmp_path.glob("it*")) == [Path(f).name for f in files]
