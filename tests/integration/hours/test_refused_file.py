"""A file of the model that can't be true is refused where it is loaded, with line and key."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import dagster as dg
import pytest


@pytest.mark.parametrize(
    ("attributes", "line", "words"),
    [
        ("  time_zone: UTC\n", 3, ["time_zone", "did you mean `timezone`"]),
        ("  currency: EUR\n  day_hours: 25\n", 4, ["day_hours", "at most 24"]),
        ("  precedence:\n    absences: [gone]\n", 4, ["precedence.absences.0", "no API 'gone'"]),
    ],
)
def test_refused(
    attributes: str, line: int, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = f"project_{tmp_path.name}"
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\n'
        f'root_module = "{package}"\ndefs_module = "{package}.defs"\n'
    )
    file = tmp_path / package / "defs" / "hours" / "defs.yaml"
    file.parent.mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    file.write_text(f"type: timetracking_assets.HoursModel\nattributes:\n{attributes}")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - Dagster wraps it in many ways
        dg.load_from_defs_folder(path_within_project=tmp_path / package).resolve_all_asset_specs()
    message, error = "", cast("BaseException | None", refusal.value)
    while error is not None:
        message, error = f"{message}\n{error}", error.__cause__ or error.__context__
    for text in (f"{file}:{line}:", *words, "What may be written there: `timetracking docs hours`"):
        assert text in message
