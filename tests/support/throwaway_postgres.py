"""A PostgreSQL server of the tests' own, and a fresh database for whoever asks.

The server lives as long as the session of tests; nothing of it lasts, so nothing is synced to disk.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from timetracking_assets.warehouse.base import Warehouse
from timetracking_assets.warehouse.destination import DestinationWarehouse
from timetracking_assets.warehouse.duckdb_file import DuckDBFile

URL = "THROWAWAY_POSTGRES"
"""Environment variable that tells the processes that share the tests where the server is."""
USER = "warehouse"


def available() -> bool:
    """Whether the tests run against PostgreSQL."""
    return URL in os.environ


def new_database(like: str = "") -> str:
    """The connection string of a new database: empty, or a copy of the database `like`."""
    name = f"t_{uuid4().hex}"
    template = f" TEMPLATE {like.rsplit('/', 1)[1]}" if like else ""
    query(os.environ[URL], f"CREATE DATABASE {name}{template}")
    return os.environ[URL].rsplit("/", 1)[0] + f"/{name}"


def new_warehouse(directory: Path) -> Warehouse:
    """An empty warehouse: a DuckDB file below `directory`, or a database of its own."""
    if not available():
        return DuckDBFile(directory / "warehouse.duckdb")
    return DestinationWarehouse("postgres", directory, new_database())


def drop_database(url: str) -> None:
    """Remove a database, whoever is still connected."""
    query(os.environ[URL], f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE)")


def query(url: str, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """The rows that a statement gives; times are in UTC."""
    import psycopg2
    from psycopg2.extras import register_default_json

    connection = psycopg2.connect(url, options="-c timezone=UTC")
    # its text, as DuckDB gives it
    register_default_json(connection, loads=str)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


class Server:
    """A cluster in a directory of its own; the superuser `root` runs it as `nobody`."""

    def __init__(self) -> None:
        self._bin = _programs()
        self._directory = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._directory, self._user)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it; the connection string of its first database."""
        password = secrets.token_hex(12)
        word = self._directory / "password"
        word.write_text(password)
        if self._user:
            shutil.chown(word, self._user)
        data = self._directory / "data"
        self._call("initdb", "-D", str(data), "-U", USER, "-A", "scram-sha-256", "-E", "UTF8",
                   "--locale=C", f"--pwfile={word}")  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "max_connections": 200,
            # not UTC: whoever counts on the session's zone is found out
            "timezone": "America/St_Johns",
        }
        given = [item for name, value in settings.items() for item in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(data), *given],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self._directory,
                # a Ctrl-C is for the tests; they stop the server then
                start_new_session=True,
            )
        url = f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"
        self._await(url)
        return url

    def stop(self) -> None:
        """Stop it at once, and remove its directory."""
        if self._process:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), *arguments],
            check=True,
            user=self._user,
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
        )

    def _await(self, url: str) -> None:
        import psycopg2

        for _ in range(300):
            try:
                query(url, "SELECT 1")
            except psycopg2.OperationalError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError((self._directory / "log").read_text())


def _programs() -> Path:
    """Where PostgreSQL's programs are: on the PATH, or where Debian puts them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    if not versions:
        raise RuntimeError("no PostgreSQL server is installed (Debian: apt install postgresql)")
    return versions[-1]
