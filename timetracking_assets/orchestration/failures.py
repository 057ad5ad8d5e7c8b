"""Errors at the border to Dagster: one clear text, with no secret in it and no chained exception.

Dagster records the chain of an exception in its event log, where dlt's own errors would show URLs
and parameters. What an error means is written where it is raised, below `ingest`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

import dagster as dg

from timetracking_assets.errors import (
    ApiError,
    IngestError,
    LockTimeoutError,
    OvertakenError,
    cause_of,
)

T = TypeVar("T")
Mask = Callable[[str], str]


def or_failure(action: Callable[[], T], *masks: Mask) -> T:
    """The result of `action`. Raises Failure, which allows retries only where they may help."""
    return _guarded(action, _failure, masks)


def or_ingest_error(action: Callable[[], T], *masks: Mask) -> T:
    """The result of `action`. Raises IngestError for any failure of it."""
    return _guarded(action, lambda text, _: IngestError(text), masks)


def _guarded(
    action: Callable[[], T],
    as_error: Callable[[str, IngestError | None], Exception],
    masks: tuple[Mask, ...],
) -> T:
    try:
        return action()
    except Exception as error:
        cause = cause_of(error, IngestError)
        expected = cause if isinstance(cause, IngestError) else None
        # an unexpected error is shown whole
        text = str(expected) if expected else traceback.format_exc()
        for mask in masks:
            text = mask(text)
        problem = as_error(text, expected)
    # outside of the handler: inside, the original would be chained to it
    raise problem


def _failure(text: str, error: IngestError | None) -> dg.Failure:
    if error is None:
        return dg.Failure(text)
    transient = isinstance(error, LockTimeoutError | OvertakenError) or (
        isinstance(error, ApiError) and error.transient
    )
    return dg.Failure(f"{text}\nSee {error.docs}.", allow_retries=transient)
