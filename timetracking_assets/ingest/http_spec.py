"""The keys of a `defs.yaml` that say how an API is asked, whatever is asked for.

Only shapes belong here: retries (`session.py`), the pace (`rate_limits.py`), quotas (`quotas.py`),
and whose credentials are used.
"""

from __future__ import annotations

from pydantic import Field

from timetracking_assets.ingest.spec_model import SpecModel


class RetrySpec(SpecModel):
    """Which requests are repeated, and when. Lost connections and time-outs always are."""

    status_codes: list[int] = Field([429, 500, 502, 503, 504])
    max_retries: int = Field(3, ge=0, le=20, description="repetitions after the first attempt")
    backoff_factor: float = Field(2, ge=0, description="waits factor * 1, 2, 4, ... seconds")
    max_delay: float = Field(
        120,
        gt=0,
        description="longest wait in seconds, Retry-After included; never less than the quota's "
        "`max_wait`",
    )
    timeout: float = Field(60, gt=0, description="seconds without a byte before giving up")


class RateLimitSpec(SpecModel):
    """How fast an API may be asked: by all its resources in one process together, retries too."""

    requests: int = Field(10, gt=0, description="the most requests in any `per_seconds`")
    per_seconds: float = Field(1, gt=0, description="length of that time in seconds")


class QuotaSpec(SpecModel):
    """What to do about an answer 429 or 402 that says when the quota comes back."""

    max_wait: float = Field(
        120,
        ge=0,
        description="wait for the reset if it is at most so many seconds away, else fail at once",
    )
    reset_header: str | None = Field(
        None,
        description="response header that says when the quota comes back, where it isn't "
        "Retry-After: seconds from now, UNIX time, or a date (HTTP or ISO 8601)",
    )
    remaining_header: str | None = Field(
        None, description="response header with the number of requests left in the quota"
    )


class WhoamiSpec(SpecModel):
    """An endpoint that tells whose credentials are used, for `timetracking doctor`."""

    path: str = Field(description="path below the base URL, such as `v1/me`")
    field: str = Field(description="dotted path of the name or address in its answer")
