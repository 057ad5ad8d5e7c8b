"""A disk that is full at each phase of a load, and the load after it, once there is room again.

A load either fails with one clear message and leaves the table as it was, or has loaded it all.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.reliability.faulty_load import COMMITTED, POINTS, REFUSED, Fault
from tests.reliability.scenes import AFTER, API, BEFORE, RESOURCE, Scene, as_rows
from tests.support.throwaway_postgres import available

if TYPE_CHECKING:
    from tests.support.fault_table import Outcomes

SIZE = 24 << 20
ON_A_SERVER = ("merge", "commit")
SOME = ("extract", "normalize", "staging", "merge", "bookkeeping")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("only the superuser can mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"can't mount a small file system: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize("point", POINTS)
def test_no_space_left(
    make_scene: Callable[..., Scene],
    outcomes: Outcomes,
    thorough: bool,
    small_disk: Path,
    point: str,
) -> None:
    if point not in SOME and not thorough:
        pytest.skip("one of many: choose -m reliability")
    scene = make_scene("load", parent=small_disk)
    ballast = small_disk / "ballast"
    ended = scene.run(Fault("disk", point, ballast))
    ballast.unlink()
    check(scene, "disk full", point, ended, outcomes)


@pytest.mark.parametrize("point", ["extract", "merge", "bookkeeping"])
def test_no_file_may_grow(make_scene: Callable[..., Scene], outcomes: Outcomes, point: str) -> None:
    """The same on any system, for any user, with another error: a limit on the size of files."""
    scene = make_scene("load")
    check(scene, "file size limit", point, scene.run(Fault("files", point)), outcomes)


def check(scene: Scene, fault: str, point: str, ended: tuple[int, str], outcomes: Outcomes) -> None:
    code, printed = ended
    found = scene.table()
    if code == 0:
        assert found == as_rows(AFTER)
        outcome = "loaded all the same"
    else:
        assert code == REFUSED, printed
        message = printed.strip().splitlines()[-1]
        assert f"{API}/{RESOURCE}" in message or "warehouse.duckdb" in message
        assert any(words in message.lower() for words in ("no space", "file too large", "full")), (
            message
        )
        expected = [as_rows(BEFORE)]
        # a server has room: what fails is dlt's note of what it has done, after the commit
        if point in (*COMMITTED, *ON_A_SERVER * available()):
            expected.append(as_rows(AFTER))
        assert found in expected, printed
        state = "as before" if found == as_rows(BEFORE) else "whole answer"
        outcome = f"refused with a message, table {state}"
    assert scene.problem_after() is None
    outcomes.add(fault, point, f"{outcome}, next load exact")
