"""A cluster of real processes, and an environment of their own for them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import pytest

from deploy.local_cluster.cluster import Cluster
from timetracking_assets.sandbox import SandboxServer

ROOT = Path(__file__).parents[2]
PER_RUN = 10
FIRST_DAY = datetime.now(UTC).date() - timedelta(days=12)


def full_days() -> int:
    """How many days there are to load now: one more when a run goes over midnight."""
    return (datetime.now(UTC).date() - FIRST_DAY).days


@pytest.fixture(scope="session", autouse=True)
def _end_in_order() -> Iterator[None]:
    """Let whoever ends the tests by a signal end what they started, too."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter of an environment with the extra `cluster`, as it is locked."""
    subprocess.run([ROOT / "deploy" / "install.sh"], check=True)
    return str(ROOT / ".venv-cluster" / "bin" / "python")


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """A sandbox of the module's own."""
    with SandboxServer() as running:
        yield running


@pytest.fixture(scope="module")
def cluster(python: str, server: SandboxServer) -> Iterator[Cluster]:
    """Two workers, which load from the sandbox; partitions begin on `FIRST_DAY`,
    of which a run takes at most `PER_RUN`."""
    settings = {**server.environment, "TIMETRACKING_PARTITIONS_PER_RUN": str(PER_RUN)}
    for name in server.environment:
        if name.endswith("_BASE_URL"):
            settings[name.replace("_BASE_URL", "_START")] = FIRST_DAY.isoformat()
    with Cluster(settings, python=python) as running:
        yield running
