"""The page as a file."""

import stat
from pathlib import Path

from timetracking_assets.health.build import write_page


def test_hours_are_for_their_user_unless_the_file_was_opened_to_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "health_report.html"
    write_page(path, "first")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    write_page(path, "second")
    assert path.read_text() == "second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]
