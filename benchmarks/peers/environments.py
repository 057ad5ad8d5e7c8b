"""A virtual environment for each peer, in the versions of `<peer>.lock`, made by uv once."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from uv import find_uv_bin


def environment_python(peer: str, directory: Path) -> str:
    """The interpreter of the environment of `benchmarks/peers/<peer>.lock`, below `directory`.

    Makes it again unless it exists for this lock and this version of Python. Raises
    CalledProcessError, after uv's own words, if that can't be done.
    """
    lock = Path(__file__).with_name(f"{peer}.lock")
    environment = directory.resolve() / peer
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    made_from = environment / "made-from"  # written last
    versions = sha256(sys.version.encode() + lock.read_bytes()).hexdigest()
    if not made_from.exists() or made_from.read_text() != versions:
        uv = find_uv_bin()
        make = ["venv", "--quiet", "--clear", "--python", sys.executable]
        subprocess.run([uv, *make, environment], check=True)
        # as install.sh has it: what is compiled here is not compiled while it is measured
        install = ["pip", "sync", "--quiet", "--system-certs", "--compile-bytecode"]
        subprocess.run([uv, *install, "--python", python, "--require-hashes", lock], check=True)
        made_from.write_text(versions)
    return str(python)
