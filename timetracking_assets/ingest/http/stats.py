"""What the HTTP side of one load did, counted where it happens (`adapter.py`, `session.py`)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields


@dataclass
class RequestStats:
    """Counts of one load. `bytes` are of bodies after decompression.

    `seconds` is all the time that requests took, waits included: those for the configured rate
    limit (`seconds_rate_limited`) and those for the API's quota to come back (`seconds_quota`).
    `requests_in_vain` brought no row to the load: pages after the last one of their list, and
    answers that were requested again, because the API cut them off or others had written first.
    `quota_remaining` is the latest value of the header that states it.
    `characters_replaced` counts the characters that no encoding gave, stored as U+FFFD;
    `assumed_encoding` is the one that was assumed for answers that state none that fits.
    `non_finite_numbers` counts `NaN` and infinities, which are no JSON, loaded as null.
    `credential_columns` are columns in which a credential of the API was seen. `started` is the
    instant of the monotonic clock at which the load began.
    """

    requests: int = 0
    retries: int = 0
    requests_in_vain: int = 0
    bytes: int = 0
    seconds: float = 0.0
    seconds_rate_limited: float = 0.0
    seconds_quota: float = 0.0
    quota_remaining: float | None = None
    characters_replaced: int = 0
    non_finite_numbers: int = 0
    assumed_encoding: str | None = None
    credential_columns: frozenset[str] = frozenset()
    started: float = field(default_factory=time.monotonic)

    def add(self, other: RequestStats) -> None:
        """Count what `other` counted, too: that of another session, or thread, of the load."""
        for count in fields(self):
            if isinstance(count.default, int | float):
                total = getattr(self, count.name) + getattr(other, count.name)
                setattr(self, count.name, total)
        left = [n for n in (self.quota_remaining, other.quota_remaining) if n is not None]
        self.quota_remaining = min(left, default=None)
        self.assumed_encoding = self.assumed_encoding or other.assumed_encoding
        self.credential_columns |= other.credential_columns
