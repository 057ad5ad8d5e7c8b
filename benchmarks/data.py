"""The rows of the mock API: time entries of 16 fields, ready to be sent.

Written once for each shape into a file of bodies with an index beside it; the server maps the file
and copies nothing.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

PAGE_SIZE = 1000
FIRST_DAY = "2025-01-01"
DAYS = 365

COLUMNS = {
    "id": "bigint",
    "user_id": "bigint",
    "project_id": "bigint",
    "task_id": "bigint",
    "client_id": "bigint",
    "billable": "bool",
    "start": "timestamp",
    "stop": "timestamp",
    "duration": "bigint",
    "description": "text",
    "tags": "json",
    "hourly_rate": "double",
    "day": "date",
    "status": "text",
    "created_at": "timestamp",
    "modified": "timestamp",
}
"""The 16 fields of a time entry, and dlt's names of their types."""

_ENTRY = """
struct_pack(
    id := i,
    user_id := 1 + i % 120,
    project_id := 1 + i % 900,
    task_id := CASE WHEN i % 7 = 0 THEN NULL ELSE 1 + i % 4000 END,
    client_id := 1 + i % 90,
    billable := i % 3 > 0,
    start := strftime(began, '%Y-%m-%dT%H:%M:%SZ'),
    stop := strftime(began + INTERVAL 45 MINUTE, '%Y-%m-%dT%H:%M:%SZ'),
    duration := 2700,
    description := 'Wrote part ' || i || ' of the report, then met the customer',
    tags := ['design', 'review', 'on site'][:i % 4],
    hourly_rate := 75.5 + i % 10,
    day := strftime(began, '%Y-%m-%d'),
    status := CASE WHEN i % 5 = 0 THEN 'pending' ELSE 'approved' END,
    created_at := strftime(began + INTERVAL 1 HOUR, '%Y-%m-%dT%H:%M:%SZ'),
    modified := strftime(began + INTERVAL 2 HOUR, '%Y-%m-%dT%H:%M:%SZ')
)"""


@dataclass(frozen=True)
class Pages:
    """A file of bodies one after the other, and the byte at which each begins (and the last ends).

    `lists[i]` is the first body and the number of bodies of list `i`: a list is what one series of
    requests gives, page by page.
    """

    path: Path
    offsets: list[int]
    lists: list[tuple[int, int]]


def make_pages(directory: Path, rows: int, *, lists: int = 1) -> Pages:
    """`rows` entries of a year in pages of `PAGE_SIZE`: as one list, or cut evenly into more.

    365 lists are the year's days. Files that exist in `directory` are used again.
    """
    return _pages(
        directory / f"entries-{rows}-{lists}.json",
        f"i, TIMESTAMP '{FIRST_DAY} 00:00:00' + to_seconds((i * {DAYS * 86400}) // {rows}) "
        "AS began",
        rows,
        lists,
    )


def make_changes(directory: Path, rows: int, changed: int = PAGE_SIZE) -> Pages:
    """One list of `changed` entries out of `rows`, evenly spread, as they are a year later."""
    return _pages(
        directory / f"changes-{rows}-{changed}.json",
        f"(i * {rows}) // {changed} AS i, TIMESTAMP '{FIRST_DAY} 08:00:00' + INTERVAL {DAYS} DAY "
        "AS began",
        changed,
        1,
    )


def _pages(path: Path, source: str, rows: int, lists: int) -> Pages:
    index = path.with_suffix(".index.json")
    if not index.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # in a process of its own: the peak of a contender's memory begins with its parent's size
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            offsets, found = pool.submit(_write, path, source, rows, lists).result()
        index.write_text(json.dumps({"offsets": offsets, "lists": found}))
    known = json.loads(index.read_text())
    return Pages(path, known["offsets"], [tuple(item) for item in known["lists"]])


def _write(
    path: Path, source: str, rows: int, number: int
) -> tuple[list[int], list[tuple[int, int]]]:
    import duckdb

    offsets, lists = [0], []
    with path.open("wb") as file, duckdb.connect() as connection:
        for item in range(number):
            first, end = item * rows // number, (item + 1) * rows // number
            count = max(1, -(-(end - first) // PAGE_SIZE))
            lists.append((len(offsets) - 1, count))
            for batch in range(0, count, 100):
                low = first + batch * PAGE_SIZE
                bodies = _bodies(connection, source, low, min(end, low + 100 * PAGE_SIZE))
                for page, entries in enumerate(bodies, batch + 1):
                    envelope = json.dumps({"page": page, "count_pages": count})
                    file.write(f'{{"paging":{envelope},"data":[{entries}]}}'.encode())
                    offsets.append(file.tell())
    return offsets, lists


def _bodies(connection: Any, source: str, low: int, high: int) -> list[str]:
    found = connection.execute(
        f"SELECT string_agg(to_json({_ENTRY}), ',' ORDER BY n) FROM (SELECT i AS n, {source} "
        f"FROM range({low}, {high}) t(i)) GROUP BY (n - {low}) // {PAGE_SIZE} "
        f"ORDER BY (n - {low}) // {PAGE_SIZE}"
    ).fetchall()
    return [text for (text,) in found] or [""]
