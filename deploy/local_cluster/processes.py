"""Processes that are started together and end together; nothing of Dagster belongs here."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_SECONDS_TO_END = 8.0


class ProcessError(Exception):
    """A process ended, or is not ready in time; the text has the end of its log."""


class Processes:
    """Named processes, each in a session of its own, with a log file in `logs`."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, tuple[subprocess.Popen[bytes], signal.Signals]] = {}

    def start(
        self,
        name: str,
        arguments: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        user: str | None = None,
        ends_with: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Start a process; `ends_with` is the signal that ends it in order."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                cwd=self._logs,
                user=user,
                start_new_session=True,
            )
        self._running[name] = (process, ends_with)

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self._logs / f"{name}.log"

    def pid(self, name: str) -> int:
        """The id of a running process, which is its group's, too."""
        return self._running[name][0].pid

    def cpu_seconds(self) -> dict[str, float]:
        """The processor time that each running process has taken, with its children's (Linux)."""
        parents: dict[int, int] = {}
        ticks: dict[int, int] = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            # by proc(5): parent; utime and stime, and those of children that have ended
            pid = int(entry.parent.name)
            parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
        names = {process.pid: name for name, (process, _) in self._running.items()}
        seconds = dict.fromkeys(names.values(), 0.0)
        for pid, used in ticks.items():
            ancestor = pid
            while ancestor not in names and ancestor in parents:
                ancestor = parents[ancestor]
            if ancestor in names:
                seconds[names[ancestor]] += used / os.sysconf("SC_CLK_TCK")
        return seconds

    def wait_until(self, name: str, ready: Callable[[], bool], seconds: float = 90) -> None:
        """Return when `ready` is true. ProcessError if it ends, or after `seconds`."""
        process, _ = self._running[name]
        deadline = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None:
                raise ProcessError(f"{name} ended with {process.returncode}:\n{self._tail(name)}")
            if time.monotonic() > deadline:
                raise ProcessError(f"{name} is not ready after {seconds} s:\n{self._tail(name)}")
            time.sleep(0.2)

    def kill(self, name: str) -> None:
        """End a process and its children as a lost machine does: with no chance to clean up."""
        process, _ = self._running.pop(name)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, *names: str) -> None:
        """End processes in order, side by side, and what is left of their groups by force."""
        ending = [self._running.pop(name) for name in names]
        for process, ends_with in ending:
            with suppress(ProcessLookupError):
                os.kill(process.pid, ends_with)
        deadline = time.monotonic() + _SECONDS_TO_END
        for process, _ in ending:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()

    def stop_all(self, last: Sequence[str] = ()) -> None:
        """End all processes, those that the others need at the `last`."""
        self.stop(*(name for name in self._running if name not in last))
        self.stop(*self._running)

    def _tail(self, name: str) -> str:
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-30:])


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _signal_group(group: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, which)
