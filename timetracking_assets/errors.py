"""The errors of this package: each says what happened, where, and what to do.

Only classes that callers tell apart belong here; messages are written where the fact is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from errno import EXDEV

SpecPath = Sequence[str | int]


class IngestError(Exception):
    """Base of all errors that a person can act on. Its text never holds a secret.

    `docs` is the page, and the section of it, that helps.
    """

    docs = "`timetracking docs operate`, section `When something is wrong`"


def cause_of(error: BaseException, *kinds: type[BaseException]) -> BaseException:
    """The outermost error of `kinds` in the chain of one of dlt's, which wraps ours many times; the
    innermost error where no cause is one."""
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        if inner in chain:
            break
        chain.append(inner)
    if len(chain) > 1 and isinstance(chain[-1], OSError) and chain[-1].errno == EXDEV:
        # a file of dlt's could not be renamed to another disk; what failed is the copy after it
        chain.pop()
    return next((link for link in chain if isinstance(link, kinds)), chain[-1])


class SpecError(IngestError):
    """A specification that can't be run. `path` leads to the offending key, as in the YAML file."""

    def __init__(self, path: SpecPath, message: str) -> None:
        super().__init__(message)
        self.path = tuple(path)
        self.message = message

    @property
    def each(self) -> tuple[SpecError, ...]:
        """The mistakes one by one."""
        return (self,)

    @property
    def located(self) -> str:
        """The message after its key."""
        return f"{'.'.join(map(str, self.path)) or 'attributes'}: {self.message}"


class SpecErrors(SpecError):  # noqa: N818 - several of them
    """Several mistakes in one specification; as an error, it has the path of the first."""

    def __init__(self, errors: Sequence[SpecError]) -> None:
        super().__init__(errors[0].path, "\n".join(error.message for error in errors))
        self._errors = tuple(errors)

    @property
    def each(self) -> tuple[SpecError, ...]:
        """The mistakes one by one."""
        return self._errors


class SettingsError(IngestError):
    """Environment variables that an API needs are not set."""

    docs = "`timetracking docs connect`, section `An API of a shipped shape`"


class ApiError(IngestError):
    """The API did not answer, or its answer is not one that can be loaded.

    `transient` is true where asking again later may help (a lost connection, 5xx, 429).
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class AnswerError(ApiError):
    """A page that is not what the specification says: not JSON, no rows where they should be."""

    docs = "`timetracking docs connect`, section `What vendors do differently`"


class ShiftedListError(AnswerError):
    """A list lost rows while it was read, and may hide others that a load would remove."""

    docs = "`timetracking docs sync-modes`, section `Lists that shift while they are read`"


class QuotaError(ApiError):
    """The API's quota is used up, and does not come back soon."""

    docs = "`timetracking docs reference`, section `quota`"


class TypeMismatchError(IngestError):
    """A value that does not fit its column's type; nothing was loaded."""

    docs = "`timetracking docs reference`, section `columns`"


class RemovalError(IngestError):
    """A snapshot that would remove too many rows of its table; nothing was changed."""

    docs = "`timetracking docs sync-modes`, section `Choose a sync mode`"


class LockTimeoutError(IngestError):
    """Another load held the warehouse for longer than the configured time."""


class OvertakenError(IngestError):
    """Loads that sent their requests later have written first, each time; nothing was changed."""


class WarehouseError(IngestError):
    """The warehouse could not be read or written."""
