"""Options that several commands share: their types, and what is wrong with a value."""

from __future__ import annotations

from datetime import date

import typer


def day(text: str | date) -> date:
    """The day that an option names, written as 2026-01-31."""
    try:
        return text if isinstance(text, date) else date.fromisoformat(text)
    except ValueError:
        pass
    raise typer.BadParameter(f"'{text}' is not a day, such as 2026-01-31.")
