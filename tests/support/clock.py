"""A clock for tests of time limits: it does not depend on how busy the machine is."""

from __future__ import annotations

import time


class TickingClock:
    """In the place of the module `time`: a tenth of a second goes by with each look at it."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        """Seconds."""
        self._now += 0.1
        return self._now

    sleep = staticmethod(time.sleep)
