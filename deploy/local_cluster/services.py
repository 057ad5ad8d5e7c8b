"""PostgreSQL, PgBouncer and Redis as processes of this machine, with their data in a directory.

Their programs are the system's (Debian: `apt install postgresql pgbouncer redis-server`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from deploy.local_cluster.processes import ProcessError, Processes, free_ports, listens

USER = "timetracking"
SERVICES = ("postgres", "pgbouncer", "redis")
DATABASES = ("dagster", "warehouse")


class Services:
    """The three servers, on free ports of 127.0.0.1; as `root` they run as `nobody`."""

    def __init__(self, processes: Processes, directory: Path) -> None:
        self._processes = processes
        self._directory = directory
        self._password = secrets.token_hex(16)
        self._user = "nobody" if os.geteuid() == 0 else None
        self._postgres, self._pgbouncer, self._redis = free_ports(3)

    def start(self) -> None:
        """Start all three, with an empty database for each of `DATABASES`."""
        self.make_postgres()
        self._start_pgbouncer()
        self.start_redis()

    def make_postgres(self) -> None:
        """Start a new PostgreSQL, with an empty database for each of `DATABASES`."""
        self._init_postgres()
        self.start_postgres()
        for database in DATABASES:
            self._run(
                "createdb", "-h", "127.0.0.1", "-p", str(self._postgres), "-U", USER, database
            )

    def url(self, database: str) -> str:
        """A database, directly: advisory locks belong to a session, which a pool would not keep."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._postgres}/{database}"

    @property
    def pooled_url(self) -> str:
        """Dagster's database through PgBouncer, for SQLAlchemy."""
        return f"postgresql+psycopg2://{USER}:{self._password}@127.0.0.1:{self._pgbouncer}/dagster"

    @property
    def redis_url(self) -> str:
        """The first database of Redis."""
        return f"redis://:{self._password}@127.0.0.1:{self._redis}/0"

    def start_postgres(self) -> None:
        """Start PostgreSQL on its data and wait until it answers."""
        settings = {
            "port": self._postgres,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 100,
        }
        given = [item for name, value in settings.items() for item in ("-c", f"{name}={value}")]
        self._processes.start(
            "postgres",
            [_program("postgres"), "-D", self._directory / "postgres", *given],
            {"PATH": os.environ["PATH"]},
            user=self._user,
            # connections end at once, and the data is written
            ends_with=signal.SIGINT,
        )
        ready = ["-h", "127.0.0.1", "-p", str(self._postgres), "-q"]
        self._processes.wait_until(
            "postgres",
            lambda: subprocess.run([_program("pg_isready"), *ready], check=False).returncode == 0,
        )

    def start_redis(self) -> None:
        """Start Redis on its data and wait until it answers; it needs none of the others."""
        self._own_directory()
        directory = self._own_directory("redis")
        settings = directory / "redis.conf"
        settings.write_text(
            f"port {self._redis}\nbind 127.0.0.1\nrequirepass {self._password}\n"
            # what was sent to workers outlives a restart
            f"dir {directory}\nappendonly yes\n"
        )
        self._hand_over(settings)
        self._processes.start(
            "redis", [_program("redis-server"), settings], os.environ, user=self._user
        )
        self._processes.wait_until("redis", lambda: listens(self._redis))

    def _init_postgres(self) -> None:
        self._own_directory()
        word = self._directory / "password"
        word.write_text(self._password)
        self._hand_over(word)
        self._run(
            "initdb", "-D", str(self._directory / "postgres"), "-U", USER, "-A", "scram-sha-256",
            "-E", "UTF8", "--locale=C", f"--pwfile={word}",
        )  # fmt: skip

    def _start_pgbouncer(self) -> None:
        directory = self._own_directory("pgbouncer")
        users, settings = directory / "users.txt", directory / "pgbouncer.ini"
        users.write_text(f'"{USER}" "{self._password}"\n')
        settings.write_text(
            "[databases]\n"
            f"dagster = host=127.0.0.1 port={self._postgres} dbname=dagster\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self._pgbouncer}\nunix_socket_dir =\n"
            # as in pgbouncer.ini
            f"auth_type = md5\nauth_file = {users}\n"
            "pool_mode = transaction\ndefault_pool_size = 20\nmax_client_conn = 1000\n"
            # Dagster opens a connection for each group of statements
            "log_connections = 0\nlog_disconnections = 0\n"
        )
        for path in (users, settings):
            self._hand_over(path)
        self._processes.start(
            "pgbouncer", [_program("pgbouncer"), settings], os.environ, user=self._user
        )
        self._processes.wait_until("pgbouncer", lambda: listens(self._pgbouncer))

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [_program(program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            user=self._user,
            cwd=self._directory,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": self._password},
        )
        if done.returncode:
            raise ProcessError(f"{program} failed: {done.stderr}")

    def _own_directory(self, name: str = "") -> Path:
        directory = self._directory / name
        if not directory.exists():
            directory.mkdir()
            self._hand_over(directory)
        return directory

    def _hand_over(self, path: Path) -> None:
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self._user:
            shutil.chown(path, self._user)


def _program(name: str) -> str:
    """The path of a program: on the PATH, or where Debian puts PostgreSQL's."""
    places = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True
    )
    path = os.pathsep.join([*map(str, places), os.environ["PATH"], "/usr/sbin"])
    program = shutil.which(name, path=path)
    if program is None:
        raise ProcessError(
            f"{name} is not installed (Debian: apt install postgresql pgbouncer redis-server)"
        )
    return program
