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

LIMIT, SECONDS = 5, 5


@pytest.fixture(scope="module", params=["redis", "postgres"])
def limits(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The setting that names a server of the tests' own."""
    directory = Path(tempfile.mkdtemp(prefix="limits-"))
    directory.chmod(0o711)
    (directory / "logs").mkdir()
    processes = Processes(directory / "logs")
    services = Services(processes, directory / "services")
    try:
        if request.param == "redis":
            services.start_redis()
            url = services.redis_url
        else:
            services.make_postgres()
            url = services.url("warehouse")
        yield {"TIMETRACKING_LIMITS": url}
    finally:
        processes.stop_all()
        shutil.rmtree(directory)


@pytest.fixture(autouse=True)
def _without_faults(server: SandboxServer) -> None:
    server.control.reset()


def test_two_processes_keep_to_one_limit(
    python: str, server: SandboxServer, limits: dict[str, str]
) -> None:
    outputs, requests = _request_from_two(python, server, limits)

    started = [request["started"] for request in requests]
    # what is counted is when requests come in; they were let go a little earlier
    most = max(sum(begin <= each < begin + 0.9 for each in started) for begin in started)
    assert most <= LIMIT
    assert LIMIT * (SECONDS - 1) <= len(started) <= LIMIT * (SECONDS + 1)
    counts = [int(output[0]) for output in outputs]
    assert min(counts) >= 0.25 * sum(counts), counts
    print(f"{counts} requests of the two in {SECONDS} s, at most {most} in 0.9 s")


def test_a_refusal_of_the_api_lets_both_processes_wait(
    python: str, server: SandboxServer, limits: dict[str, str]
) -> None:
    server.control.place_fault(
        "status", api="time_analytics", status=429, headers={"Retry-After": "3"}, times=1, after=8
    )
    _, requests = _request_from_two(python, server, limits)

    [refused] = [place for place, each in enumerate(requests) if each["status"] == 429]
    # one of the other process may be on its way
    gaps = [later["started"] - earlier["started"] for earlier, later in pairwise(requests)]
    assert max(gaps[refused : refused + 2]) > 2.5


def test_a_quota_that_is_used_up_for_long_is_tried_by_one_process_alone(
    python: str, server: SandboxServer, limits: dict[str, str]
) -> None:
    """The last test of a server: nobody requests anything for an hour."""
    server.control.place_fault(
        "status",
        api="time_analytics",
        status=429,
        headers={"Retry-After": "3600"},
        times=9,
        after=8,
    )
    outputs, requests = _request_from_two(python, server, limits)

    assert all("quota is used up until" in output[1] for output in outputs), outputs
    # one of the other process may be on its way
    assert 1 <= sum(each["status"] == 429 for each in requests) <= 2
    again, requests = _request_from_two(python, server, limits)
    assert requests == []
    assert all("another run's request was refused" in output[1] for output in again), again


def test_without_a_server_each_process_has_a_limit_of_its_own(
    python: str, server: SandboxServer
) -> None:
    _, requests = _request_from_two(python, server, {})

    assert len(requests) > LIMIT * (SECONDS + 1) * 1.2


def _request_from_two(
    python: str, server: SandboxServer, environment: dict[str, str]
) -> tuple[list[list[str]], list[dict[str, Any]]]:
    """What each process printed, and what the server saw of both."""
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
        outputs.append(output.split("\n"))
    return outputs, server.control.requests()
