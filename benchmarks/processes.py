"""Contenders as whole processes: how long each takes, and how much memory at its peak."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Run:
    """One whole process: seconds by the clock and of the processors, peak resident bytes, and
    what it printed."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    result: Any


def run_process(command: Sequence[str], environment: dict[str, str] | None = None) -> Run:
    """Run `command` to its end. Raises RuntimeError, with its output, if it fails.

    Its last line is JSON.
    """
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complained:
        started = perf_counter()
        process = subprocess.Popen(
            command,
            stdout=printed,
            stderr=complained,
            env={**_without_bytecode_switch(), **(environment or {})},
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        complained.seek(0)
        lines = printed.read().decode().strip().splitlines()
        if process.returncode:
            text = complained.read().decode()[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {text}")
    unit = 1 if sys.platform == "darwin" else 1024
    result = json.loads(lines[-1]) if lines else {}
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, result)


def _without_bytecode_switch() -> dict[str, str]:
    # compiling thousands of modules again would be most of what is measured
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def run_contender(module: str, url: str, *more: str, python: str = sys.executable) -> Run:
    """Load `/entries` with `benchmarks.contenders.<module>` into a new DuckDB file."""
    with tempfile.TemporaryDirectory() as directory:
        warehouse = str(Path(directory) / "warehouse.duckdb")
        return run_process([python, "-m", f"benchmarks.contenders.{module}", url, warehouse, *more])
