"""The errors that `ingest` raises: each says what happened, where, and what to do.

Only classes that callers tell apart belong here; messages are written where the fact is known.
"""

from __future__ import annotations

from collections.abc import Sequence

SpecPath = Sequence[str | int]


class IngestError(Exception):
    """Base of all errors that a person can act on. Its text never holds a secret."""


def error_of_ours(error: BaseException | None) -> IngestError | None:
    """The outermost IngestError in the chain of an error of dlt's, which wraps it many times."""
    while error is not None and not isinstance(error, IngestError):
        error = error.__cause__ or error.__context__
    return error


class SpecError(IngestError):
    """A specification that can't be run. `path` leads to the offending key, as in the YAML file."""

    def __init__(self, path: SpecPath, message: str) -> None:
        super().__init__(message)
        self.path = tuple(path)
        self.message = message


class SettingsError(IngestError):
    """Environment variables that an API needs are not set."""


class ApiError(IngestError):
    """The API did not answer, or its answer is not one that can be loaded.

    `transient` is true where asking again later may help (a lost connection, 5xx, 429).
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class AnswerError(ApiError):
    """A page that is not what the specification says: not JSON, no rows where they should be."""


class QuotaError(ApiError):
    """The API's quota is used up, and does not come back soon."""


class TypeMismatchError(IngestError):
    """A value that does not fit its column's type; nothing was loaded."""


class LockTimeoutError(IngestError):
    """Another load held the warehouse for longer than the configured time."""


class WarehouseError(IngestError):
    """The warehouse could not be read or written."""
