"""Words for counts, as people read them in the terminal and on the page."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 row`, `1,234 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
