"""What the HTTP side of one load did, counted where it happens (`adapter.py`, `session.py`)."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class RequestStats:
    """Counts of one load. `bytes` are of bodies after decompression.

    `seconds` is all the time that requests took, waits included: those for the configured rate
    limit (`seconds_rate_limited`) and those for the API's quota to come back (`seconds_quota`).
    `quota_remaining` is what the API said last, where `quota.remaining_header` names the header.
    `values_masked` counts the values in answers that held one of our credentials: they are stored
    as `***`.
    """

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    seconds: float = 0.0
    seconds_rate_limited: float = 0.0
    seconds_quota: float = 0.0
    quota_remaining: float | None = None
    values_masked: int = 0

    def add(self, other: RequestStats) -> None:
        """Count what `other` counted, too: that of another session, or thread, of the load."""
        for field in fields(self):
            value = getattr(other, field.name)
            if field.name != "quota_remaining":
                setattr(self, field.name, getattr(self, field.name) + value)
        left = [n for n in (self.quota_remaining, other.quota_remaining) if n is not None]
        self.quota_remaining = min(left, default=None)
