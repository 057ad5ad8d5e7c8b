"""`dagster dev` as a child process that ends with its parent, and all that it has started.

Only starting and ending belong here; what it serves is decided in `main.py`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import yaml

from timetracking_assets.cli.workspace import Workspace, shipped

_GRACE = 15.0
"""Seconds that processes have to end by themselves."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


_WARNINGS = (
    # `dagster dev` needs no package beside Dagster, `dg dev` does
    "ignore:Function `dev_command` is superseded",
    # a parameter of Dagster's own when it binds resources to asset checks
    "ignore:Parameter `execution_type`",
)


class PortError(Exception):
    """A port can't be used; the text says which, why, and what to do."""


def check_port(port: int, option: str = "--port") -> None:
    """Raise PortError if nothing can listen at `port` of this machine."""
    problem = ""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except (OSError, OverflowError) as error:
        problem = os.strerror(getattr(error, "errno", None) or 0) if port < 65536 else str(error)
    if problem:
        raise PortError(f"can't serve at port {port}: {problem}. Name another one: {option}")


def dev_command(workspace: Workspace, port: int) -> list[str]:
    """The command that serves the workspace's code location at `port`."""
    file = workspace.root / "workspace.yaml"
    if not file.exists() and workspace.project:
        # named as in the project's settings: Dagster warns of any other name
        location = {
            "module_name": workspace.project.definitions_module,
            "working_directory": str(workspace.project.sources),
            "location_name": workspace.project.name,
        }
        file = workspace.home / "workspace.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump({"load_from": [{"python_module": location}]}))
    elif not file.exists():
        file = shipped("workspace.yaml")
    return [sys.executable, "-m", "dagster", "dev", "--port", str(port), "--workspace", str(file)]


def without_warnings(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment`, with what Dagster warns of in its own code switched off: nobody who starts it
    can do anything about it."""
    filters = [environment.get("PYTHONWARNINGS", ""), *_WARNINGS]
    return {**environment, "PYTHONWARNINGS": ",".join(filter(None, filters))}


def run_until_stopped(command: list[str], environment: Mapping[str, str], directory: Path) -> int:
    """Run `command` until it ends, or a signal ends it; its exit code (0 after a signal).

    The first SIGINT, SIGTERM or SIGHUP lets it end in order, the second one kills it. In either
    case, and if it fails, no process that it has started lives on.
    """
    received: list[int] = []
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # as a shell's background job has it; what is started would ignore it, too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # in a group of its own: a Ctrl-C reaches it by us alone, and its children can be found
    process = subprocess.Popen(command, env=environment, cwd=directory, start_new_session=True)

    def hand_on(number: int, _: FrameType | None) -> None:
        received.append(number)
        with suppress(ProcessLookupError):
            if len(received) == 1:
                process.send_signal(signal.SIGINT)
            else:
                os.killpg(process.pid, signal.SIGKILL)

    before: dict[int, Any] = {number: signal.signal(number, hand_on) for number in _SIGNALS}
    try:
        code = process.wait()
    finally:
        _end_group(process.pid)
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0 if received else code


def _end_group(group: int) -> None:
    """End the processes of a group: by SIGTERM, and those that stay by SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline:
            if not _has_members(group):
                return
            time.sleep(0.1)


def _has_members(group: int) -> bool:
    # as the first process of a container we are the parent of its orphans, too
    with suppress(ChildProcessError):
        os.waitpid(-group, os.WNOHANG)
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
