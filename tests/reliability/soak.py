"""A soak: `dagster dev` with loads each minute from a faulty sandbox, and what grows meanwhile.

    python -m tests.reliability.soak --minutes 30

It prints a line each minute, and at the end the first and the last figures side by side: resident
memory and open files of each process that stays, what loads have left behind, and bytes for each
run. It fails if anything is left behind. Linux alone: it reads /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.reliability.soak_location import LOADED
from timetracking_assets.cli.workspace import shipped
from timetracking_assets.sandbox import SandboxServer
from timetracking_assets.sandbox.remote_control import RemoteControl

_WARM_UP = 3
"""Minutes until the processes have imported all that they need."""
_MENDED: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 503, "times": 2},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}, "times": 2},
    {"kind": "cut", "times": 1},
    {"kind": "slow", "seconds": 2, "times": 3},
    {"kind": "compress", "times": 3},
    {"kind": "chunk", "times": 3},
)
"""Faults that a load gets over."""
_FATAL: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 403, "times": 4},
    {"kind": "body", "body": "<html>maintenance</html>", "content_type": "text/html", "times": 2},
)
_FATAL_SHARE = 0.1
_ROLES = {  # part of a command line -> what the process is
    "code-server start": "code server",
    "api grpc": "code location",
    "dagster_webserver": "webserver",
    "_daemon run": "daemon",
}


@dataclass
class Figures:
    """What is seen at one moment."""

    runs: int = 0
    """Runs that have ended since the beginning, removed ones included."""
    kept_runs: int = 0
    megabytes: dict[str, float] = field(default_factory=dict)
    open_files: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


class Soak:
    """The processes, and the folder that everything is below."""

    def __init__(self, folder: Path, url: str, environment: Mapping[str, str]) -> None:
        self.folder, self.control = folder, RemoteControl(url)
        self.home, self.temporary = folder / "dagster_home", folder / "tmp"
        self.warehouse = folder / "warehouse.duckdb"
        for path in (self.home, self.temporary):
            path.mkdir()
        shutil.copy(shipped("dagster.yaml"), self.home)
        self.environment = {
            **os.environ,
            **environment,
            "DAGSTER_HOME": str(self.home),
            "TIMETRACKING_WAREHOUSE": str(self.warehouse),
            "TIMETRACKING_AUTOMATION": "on",
            "TMPDIR": str(self.temporary),
        }
        self._seen: set[str] = set()

    @contextlib.contextmanager
    def running(self, port: int) -> Iterator[None]:
        """`dagster dev`, until the block ends."""
        location = Path(__file__).with_name("soak_location.py")
        command = [sys.executable, "-m", "dagster", "dev", "-f", str(location)]
        with (self.folder / "dagster.log").open("w") as log:
            process = subprocess.Popen(
                [*command, "--port", str(port)],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self.group = process.pid
            try:
                yield
            finally:
                os.killpg(self.group, signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(60)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.group, signal.SIGKILL)

    def disturb(self, chance: random.Random) -> None:
        """Another fault, another day's work."""
        self.control.clear_faults()
        faults = _FATAL if chance.random() < _FATAL_SHARE else _MENDED
        self.control.place_fault(**chance.choice(faults))
        for api, resources in LOADED.items():
            rows = self.control.rows(api, resources[1])
            row = chance.choice(rows)
            self.control.edit(
                api, resources[1], upsert=[{"id": row["id"], "name": str(time.time())}]
            )

    def measure(self) -> Figures:
        """Look around; figures of processes only if these are found."""
        figures = Figures()
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if f"DAGSTER_HOME={self.home}\0" not in (process / "environ").read_text():
                    continue
                command = (process / "cmdline").read_text().replace("\0", " ")
                role = next((name for part, name in _ROLES.items() if part in command), None)
                if role is None:
                    continue
                pages = int((process / "statm").read_text().split()[1])
                figures.megabytes[role] = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
                figures.open_files[role] = len(list((process / "fd").iterdir()))
        history = self.home / "history"
        figures.bytes = {
            "events of runs": _size(history / "runs") - _size(history / "runs" / "index.db"),
            "index of events": _size(history / "runs" / "index.db"),
            "runs": _size(history / "runs.db"),
            "ticks": _size(self.home / "schedules"),
            "output": _size(self.home / "storage"),
            "warehouse": _size(self.warehouse),
        }
        with contextlib.suppress(sqlite3.Error):
            with contextlib.closing(sqlite3.connect(history / "runs.db", timeout=30)) as runs:
                ended = "SELECT run_id FROM runs WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED')"
                ids = {run_id for (run_id,) in runs.execute(ended)}
            self._seen |= ids
            figures.kept_runs = len(ids)
        figures.runs = len(self._seen)
        return figures

    def left(self) -> list[str]:
        """What is there though no run goes on."""
        patterns = ("warehouse.duckdb.loads/[!.]*", "*.holder", "*.wal", "*.new")
        found = [path for pattern in patterns for path in self.folder.glob(pattern)]
        # where dlt, DuckDB and pyarrow would put theirs; Dagster leaves the sockets of its servers
        found += [path for path in self.temporary.iterdir() if not path.is_socket()]
        return sorted(str(path.relative_to(self.folder)) for path in found)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.stat().st_blocks * 512
    return total


def _row(minute: int, figures: Figures) -> str:
    memory = ", ".join(f"{name} {value:.0f}" for name, value in sorted(figures.megabytes.items()))
    files = ", ".join(f"{name} {count}" for name, count in sorted(figures.open_files.items()))
    sizes = ", ".join(f"{name} {count / 1e6:.2f}" for name, count in figures.bytes.items())
    return (
        f"{minute:3} min  {figures.runs} runs, {figures.kept_runs} kept | MB resident: {memory} | "
        f"open files: {files} | MB on disk: {sizes}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--keep-days", default="0.003", help="what retention keeps; or `off`")
    parser.add_argument("--port", type=int, default=3777)
    chosen = parser.parse_args()
    chance = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="soak-") as name, SandboxServer() as server:
        environment = {**server.environment, "TIMETRACKING_KEEP_DAYS": chosen.keep_days}
        soak = Soak(Path(name), server.url, environment)
        first = last = Figures()
        with soak.running(chosen.port):
            begun = time.monotonic()
            for minute in range(1, chosen.minutes + 1):
                while time.monotonic() < begun + 60 * minute:
                    soak.disturb(chance)
                    time.sleep(15)
                last = soak.measure()
                if minute <= _WARM_UP:
                    first = last
                print(_row(minute, last), flush=True)
        # runs that were under way have been terminated with their parent
        left = soak.left()
    print(f"\nafter {_WARM_UP} and {chosen.minutes} minutes:")
    for role, megabytes in sorted(last.megabytes.items()):
        print(
            f"{role}: {first.megabytes.get(role, 0):.0f} -> {megabytes:.0f} MB, "
            f"{first.open_files.get(role, 0)} -> {last.open_files[role]} open files"
        )
    runs = max(1, last.runs - first.runs)
    for what, size in last.bytes.items():
        grown = size - first.bytes[what]
        print(
            f"{what}: {first.bytes[what] / 1e3:.0f} -> {size / 1e3:.0f} kB, "
            f"{grown / runs:.0f} B a run"
        )
    home = sum(size - first.bytes[what] for what, size in last.bytes.items() if what != "warehouse")
    print(f"DAGSTER_HOME: {home / runs:.0f} B a run, {runs} runs")
    print(f"left behind: {left or 'nothing'}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
