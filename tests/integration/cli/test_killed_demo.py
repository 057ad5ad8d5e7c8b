"""A killed demo takes its workers with it: they would go on loading beside the next one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

WORKERS = 2


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.2)
    return holds()


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
@pytest.mark.skipif((os.cpu_count() or 1) < WORKERS, reason="needs two workers")
def test_no_worker_outlives_a_killed_demo(
    tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    demo = subprocess.Popen(
        [Path(sys.executable).with_name("timetracking"), "demo"],
        cwd=tmp_path,
        env=clean_environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert eventually(lambda: len(children(demo.pid)) > WORKERS, 60)
        started = children(demo.pid)
    finally:
        demo.send_signal(signal.SIGKILL)
        demo.wait()
    # a worker still importing Dagster looks for its parent once it is up
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), 40)
