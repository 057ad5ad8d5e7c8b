"""Singer: the tap of `benchmarks.peers.singer_tap` piped into `target-duckdb`, as documented.

Set are the file, the schema and where temporary files go; batches are the target's default, 100,000
rows, each merged on the key. The peak of memory is that of the larger of the two processes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb


def sync(url: str, warehouse: Path) -> None:
    """Load `/entries` and print the rows. Raises RuntimeError if the tap or the target fails."""
    directory = warehouse.parent
    target_config = {
        "path": str(warehouse),
        "default_target_schema": "main",
        "temp_dir": str(directory),
    }
    tap_command = [sys.executable, "-m", "benchmarks.peers.singer_tap"]
    target_command = [str(Path(sys.executable).with_name("target-duckdb"))]
    with (
        subprocess.Popen(
            [*tap_command, "--config", _written(directory / "tap.json", {"base_url": url})],
            stdout=subprocess.PIPE,
        ) as tap,
        subprocess.Popen(
            [*target_command, "--config", _written(directory / "target.json", target_config)],
            stdin=tap.stdout,
            stdout=subprocess.DEVNULL,  # the state, which nobody takes up
        ) as target,
    ):
        assert tap.stdout is not None
        tap.stdout.close()  # so that the tap ends if the target does
    if tap.returncode or target.returncode:
        raise RuntimeError(f"tap ended with {tap.returncode}, target with {target.returncode}")
    with duckdb.connect(str(warehouse), read_only=True) as database:
        [[rows]] = database.execute("SELECT count(*) FROM entries").fetchall()
    print(json.dumps({"rows": rows}))


def _written(path: Path, config: dict[str, Any]) -> str:
    path.write_text(json.dumps(config))
    return str(path)


if __name__ == "__main__":
    sync(sys.argv[1], Path(sys.argv[2]))
