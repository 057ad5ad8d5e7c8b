"""Rows of one answer that have the same key: of each key, the one that came last is kept.

A page that moved while it was asked for is the common cause. The staged files are put right here,
so that a load without duplicates, which most are, needs no sorting.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from timetracking_assets.spec.api import Resource
from timetracking_assets.warehouse.base import OpenWarehouse, literal, quoted


def drops_duplicates(resource: Resource) -> bool:
    """Whether duplicates are dropped here: not those of rows that may be marked as deleted, since
    dlt decides what a mark beside a living row means. Without a key there are none.
    """
    return bool(resource.primary_key) and resource.deletion_mark is None


def drop_duplicates(warehouse: OpenWarehouse, resource: Resource, files: Sequence[str]) -> None:
    """Rewrite the Parquet `files`, which are in the order of the answer, without duplicates."""
    keys = ", ".join(quoted(name) for name in resource.primary_key)
    later: list[str] = []
    for file in reversed(files):
        seen = " UNION ALL ".join(f"SELECT {keys} FROM read_parquet({literal(f)})" for f in later)
        rewritten = f"{file}.rewritten"
        warehouse.scratch.execute(
            f"COPY (SELECT * EXCLUDE (file_row_number) "
            f"FROM read_parquet({literal(file)}, file_row_number = true) "
            + (f"WHERE ({keys}) NOT IN ({seen}) " if later else "")
            + f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY file_row_number DESC) = 1 "
            f"ORDER BY file_row_number) TO {literal(rewritten)} (FORMAT parquet)"
        )
        Path(rewritten).replace(file)
        later.append(file)
