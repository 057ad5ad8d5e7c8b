"""Where the files of APIs are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from timetracking_assets.files.locations import defs_folder, shipped_apis


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.dg.project]\nroot_module = "mine"\n'),
        ("dg.toml", '[project]\nroot_module = "mine"\n'),
    ],
)
@pytest.mark.parametrize("layout", ["mine", "src/mine"])
def test_a_project_is_found_from_below(tmp_path: Path, name: str, text: str, layout: str) -> None:
    (tmp_path / name).write_text(text)
    folder = tmp_path / layout / "defs"
    (folder / "berlin").mkdir(parents=True)
    assert defs_folder(folder / "berlin") == folder


def test_a_dg_toml_counts_before_the_pyproject_toml_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "old"\n')
    (tmp_path / "dg.toml").write_text('[project]\nroot_module = "mine"\ndefs_module = "mine.apis"')
    assert defs_folder(tmp_path) == tmp_path / "mine" / "apis"


def test_outside_of_a_project_the_shipped_files_are_meant(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.other]\nroot_module = "mine"\n')
    assert defs_folder(tmp_path) == next(iter(shipped_apis().values())).parents[1]
