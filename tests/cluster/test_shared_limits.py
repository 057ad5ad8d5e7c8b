"""Two processes that request one API keep to its limit together, by the server's own count."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deploy.local_cluster.processes import Processes
from deploy.local_cluster.services import Services
from tests.cluster.conftest import ROOT
from timetracking_assets.sandbox import SandboxServer

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

LIMIT, SECONDS = 5, 6


@pytest.fixture
def redis_url() -> Iterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="redis-"))
    directory.chmod(0o711)
    (directory / "logs").mkdir()
    processes = Processes(directory / "logs")
    services = Services(processes, directory / "services")
    try:
        services.start_redis()
        yield services.redis_url
    finally:
        processes.stop_all()
        shutil.rmtree(directory)


def test_two_processes_keep_to_one_limit(
    python: str, server: SandboxServer, redis_url: str
) -> None:
    counts, requests = _request_from_two(python, server, {"TIMETRACKING_LIMITS": redis_url})

    started = [request["started"] for request in requests]
    # what is counted is when requests come in; they were let go a little earlier
    most = max(sum(begin <= each < begin + 0.9 for each in started) for begin in started)
    assert most <= LIMIT
    assert LIMIT * (SECONDS - 1) <= len(started) <= LIMIT * (SECONDS + 1)
    assert min(counts) >= 0.3 * sum(counts), counts


def test_without_a_server_each_process_has_a_limit_of_its_own(
    python: str, server: SandboxServer
) -> None:
    _, requests = _request_from_two(python, server, {})

    assert len(requests) > LIMIT * (SECONDS + 1) * 1.2


def test_a_refusal_of_the_api_lets_both_processes_wait(
    python: str, server: SandboxServer, redis_url: str
) -> None:
    server.control.place_fault(
        "status", api="time_analytics", status=429, headers={"Retry-After": "3"}, times=1, after=8
    )
    _, requests = _request_from_two(python, server, {"TIMETRACKING_LIMITS": redis_url})

    [refused] = [place for place, each in enumerate(requests) if each["status"] == 429]
    # one of the other process may be on its way
    gaps = [later["started"] - earlier["started"] for earlier, later in pairwise(requests)]
    assert max(gaps[refused : refused + 2]) > 2.5


def _request_from_two(
    python: str, server: SandboxServer, environment: dict[str, str]
) -> tuple[list[int], list[dict[str, Any]]]:
    """How many requests each process made, and what the server saw of both."""
    server.control.clear_requests()
    base_url = server.environment["TIME_ANALYTICS_BASE_URL"]
    program = ROOT / "tests" / "cluster" / "limited_client.py"
    clients = [
        subprocess.Popen(
            [python, program, base_url, str(LIMIT), str(SECONDS)],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for client in clients:
        assert client.stdout
        assert client.stdout.readline() == "ready\n"
    outputs = []
    for client in clients:
        assert client.stdin
        client.stdin.write("go\n")
        client.stdin.flush()
    for client in clients:
        output, _ = client.communicate(timeout=60)
        assert client.returncode == 0
        outputs.append(int(output))
    return outputs, server.control.requests()
