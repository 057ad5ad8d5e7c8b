"""The cluster: the services, and the processes of Dagster that share them.

Each process has a home of its own, as if it were on a machine of its own: they have nothing in
common but PostgreSQL and Redis.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import urlopen

import yaml

from deploy.local_cluster.graphql import Client
from deploy.local_cluster.processes import Processes, free_ports, listens
from deploy.local_cluster.services import SERVICES, Services

_DEPLOY = Path(__file__).parents[1]
_REPOSITORY = _DEPLOY.parent
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


class Cluster:
    """PostgreSQL, PgBouncer, Redis, code server, daemon, webserver and workers, while inside.

    `python` is an interpreter of an environment with the extra `cluster`; `settings` are the
    environment variables of the APIs.
    """

    def __init__(
        self, settings: Mapping[str, str], *, workers: int = 2, python: str = sys.executable
    ) -> None:
        self._settings = dict(settings)
        self.python = python
        self._workers = workers
        self._directory = Path(tempfile.mkdtemp(prefix="cluster-"))
        # PostgreSQL runs as another user, who has to get in
        self._directory.chmod(0o711)
        logs = self._directory / "logs"
        logs.mkdir()
        logs.chmod(0o755)
        self.processes = Processes(logs)
        self.services = Services(self.processes, self._directory / "services")
        self._code_port, self._web_port = free_ports(2)
        self.client = Client(f"http://127.0.0.1:{self._web_port}/graphql")

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End all processes and remove what they wrote; a second Ctrl-C does not stop that."""
        handlers = {which: signal.signal(which, signal.SIG_IGN) for which in _INTERRUPTS}
        try:
            self.processes.stop_all(last=SERVICES)
            shutil.rmtree(self._directory, ignore_errors=True)
        finally:
            for which, handler in handlers.items():
                signal.signal(which, handler)

    @property
    def web_url(self) -> str:
        """The address of Dagster's UI."""
        return f"http://127.0.0.1:{self._web_port}"

    @property
    def workers(self) -> list[str]:
        """The names of the workers."""
        return [f"worker{number}" for number in range(1, self._workers + 1)]

    def worker_of(self, task_id: str) -> str | None:
        """The worker that received a Celery task."""
        for name in self.workers:
            log = self.processes.log(name)
            if task_id in (log.read_text(errors="replace") if log.exists() else ""):
                return name
        return None

    def start_worker(self, name: str) -> None:
        """Start a worker and wait until it takes runs."""
        log = self.processes.log(name)
        before = log.stat().st_size if log.exists() else 0
        self.processes.start(
            name,
            [
                self.python, "-m", "celery", "-A", "dagster_celery.app", "worker", "-n",
                f"{name}@%h", "-Q", "dagster", "--concurrency", "1", "--loglevel", "INFO",
            ],
            self.environment(name),
        )  # fmt: skip
        self.processes.wait_until(name, lambda: b" ready." in log.read_bytes()[before:])

    def start_daemon(self) -> None:
        """Start Dagster's daemon."""
        workspace = ("-w", str(_DEPLOY / "workspace.yaml"))
        self._dagster("daemon", "dagster._daemon", "run", *workspace)

    def environment(self, name: str) -> dict[str, str]:
        """The environment of the process `name`, whose home is made if need be."""
        home = self._directory / "homes" / name
        # so that whatever is written shows up there
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        instance = yaml.safe_load((_DEPLOY / "dagster.yaml").read_text())
        instance["concurrency"]["runs"]["max_concurrent_runs"] = self._workers
        (home / "dagster.yaml").write_text(yaml.safe_dump(instance))
        paths = [str(_REPOSITORY), str(_DEPLOY / "celery"), os.environ.get("PYTHONPATH", "")]
        return {
            "PATH": f"{Path(self.python).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "DAGSTER_HOME": str(home),
            "DAGSTER_POSTGRES_URL": self.services.pooled_url,
            # events are written together: a range of partitions has one for each
            "DAGSTER_EVENT_BATCH_SIZE": "50",
            "CELERY_BROKER_URL": self.services.redis_url,
            "CODE_SERVER_HOST": "127.0.0.1",
            "CODE_SERVER_PORT": str(self._code_port),
            "WAREHOUSE_DESTINATION": "postgres",
            "DESTINATION__POSTGRES__CREDENTIALS": self.services.url("warehouse"),
            "TIMETRACKING_WAREHOUSE": str(home / "warehouse.duckdb"),
            "TIMETRACKING_LIMITS": self.services.redis_url,
            # a run is of one API
            "TIMETRACKING_PARTITIONS_PER_RUN": "90",
            "TIMETRACKING_AUTOMATION": "off",
            **self._settings,
        }

    def _start(self) -> None:
        self.services.start()
        self._dagster(
            "code", "dagster", "api", "grpc", "-h", "127.0.0.1", "-p", str(self._code_port),
            "-m", "timetracking_assets.definitions", "--location-name", "timetracking_assets",
        )  # fmt: skip
        self.processes.wait_until("code", lambda: listens(self._code_port))
        self._dagster(
            "webserver", "dagster_webserver", "-h", "127.0.0.1", "-p", str(self._web_port),
            "-w", str(_DEPLOY / "workspace.yaml"),
        )  # fmt: skip
        self.processes.wait_until("webserver", self._serves)
        self.start_daemon()
        for name in self.workers:
            self.start_worker(name)

    def _dagster(self, name: str, module: str, *arguments: str) -> None:
        self.processes.start(name, [self.python, "-m", module, *arguments], self.environment(name))

    def _serves(self) -> bool:
        try:
            with urlopen(f"{self.web_url}/server_info", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
