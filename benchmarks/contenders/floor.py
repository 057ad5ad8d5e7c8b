"""The least work that gives the same rows: bytes, split rows, DuckDB's JSON reader, no duplicates.

No retries, no inferred types, no merge, no counts: nobody should load this way.
"""

import http.client
import json
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import msgspec

from benchmarks.data import COLUMNS

_SQL_TYPES = {
    "bigint": "BIGINT",
    "text": "VARCHAR",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
    "json": "JSON",
}


class Paging(msgspec.Struct):
    """The envelope's numbers."""

    count_pages: int


class Answer(msgspec.Struct):
    """A page; its rows stay bytes."""

    paging: Paging
    data: list[msgspec.Raw]


def fetch(url: str, path: Path) -> None:
    """All pages of `/entries` as newline-delimited JSON in `path`."""
    decode = msgspec.json.Decoder(Answer).decode
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    page, pages = 0, 1
    with path.open("wb") as file:
        while page < pages:
            page += 1
            connection.request("GET", f"/entries?per_page=1000&page={page}")
            answer = decode(connection.getresponse().read())
            pages = answer.paging.count_pages
            file.write(b"\n".join(answer.data) + b"\n")
    connection.close()


if __name__ == "__main__":
    base_url, warehouse = sys.argv[1:]
    columns = ", ".join(f"'{name}': '{_SQL_TYPES[kind]}'" for name, kind in COLUMNS.items())
    with tempfile.TemporaryDirectory() as directory:
        rows_file = Path(directory) / "rows.json"
        fetch(base_url, rows_file)
        with duckdb.connect(warehouse) as database:
            database.execute(
                "CREATE TABLE entries AS SELECT * FROM read_json("
                f"'{rows_file}', format = 'newline_delimited', columns = {{{columns}}})"
            )
            [[rows, keys]] = database.execute(
                "SELECT count(*), count(DISTINCT id) FROM entries"
            ).fetchall()
    if rows != keys:
        raise SystemExit(f"{rows - keys} duplicates")
    print(json.dumps({"rows": rows}))
