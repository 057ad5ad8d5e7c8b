"""Faults on demand: what may go wrong or differ from the five APIs, for which requests, how often.

How a fault is played on a request belongs to `fault_player`.
"""

import re
from typing import Any, Literal
from zoneinfo import available_timezones

import msgspec

from timetracking_assets.sandbox.catalog import PREFIXES, UnknownResourceError, key_field

_BODILESS = (204, 304)


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of fault, and the requests that it hits.

    Decoding one from JSON raises `msgspec.ValidationError` with what is wrong with it.
    """

    kind: Literal[
        "status",
        "slow",
        "cut",
        "drip",
        "body",
        "redirect",
        "repeat",
        "truncate",
        "compress",
        "chunk",
        "encode",
        "cap",
        "total",
        "link",
        "map",
        "local_days",
        "empty",
        "edit",
    ]
    """`status`: that status instead of the answer; `slow`: the answer, later; `cut`: half of the
    answer, then the connection closes; `drip`: half of the answer, then a space a moment for ever;
    `body`: another body, with 200 unless `status` is given;
    `redirect`: to `headers.Location`; `repeat`: page 1 (or offset 0), whichever was requested;
    `truncate`: the answer's list ends after `rows` rows, without a word; `compress`: the answer in
    gzip; `chunk`: the answer in pieces, its length not announced; `encode`: the answer in
    `encoding`, which only a `content_type` states.

    What other APIs do, and no fault of theirs: `cap`: pages of at most `rows` rows, whatever size
    is requested, and the totals that go with it; `total`: `value` for each total that is stated, or
    none with `missing`; `link`: beside the rows, the next page's address at `next`, and `value` on
    the last page; `map`: rows as an object, each below its `key`; `local_days`: the window's bounds
    are days of `timezone`; `empty`: no rows, and totals of 0; `edit`: rows of `resource` go
    (`delete`), change or come (`upsert`) just before the answer, so that a list shifts while its
    pages are read."""

    api: str | None = None
    """None hits all APIs."""

    path: str | None = None
    """A regular expression to be found in the whole path (`/time_tracking/v1/resource`)."""

    query: str | None = None
    """A regular expression to be found in the raw query (`page=2`)."""

    status: int | None = None
    headers: dict[str, str] = {}
    body: str | None = None
    content_type: str | None = None

    seconds: float = 0.0
    """How long to wait first, with every kind."""

    times: int | None = None
    """How many requests it hits; None is for ever."""

    rows: int | None = None
    """Rows of a list that `truncate` leaves; rows of a page of `cap`."""

    value: Any = None
    """What `total` states, and what `link` has on the last page: any JSON."""

    missing: bool = False
    """Whether `total` takes the totals out."""

    scheme: Literal["http", "https"] | None = None
    """That of the addresses of `link`; None is the request's own."""

    key: str = "id"
    """The field below whose values `map` puts the rows."""

    keeps_key: bool = True
    """Whether the rows of `map` hold that field, too."""

    timezone: str | None = None
    """The zone of `local_days`."""

    encoding: str | None = None
    """Python's name of the encoding that `encode` writes."""

    resource: str | None = None
    """The resource of `api` whose rows `edit` changes."""

    upsert: list[dict[str, Any]] = []
    """Rows that `edit` merges by key, or appends."""

    delete: list[int | str] = []
    """Keys of the rows that `edit` deletes."""

    after: int = 0
    """How many matching requests are let through first."""

    def __post_init__(self) -> None:
        if self.api is not None and self.api not in PREFIXES:
            raise ValueError(f"no API '{self.api}'; there are: {', '.join(PREFIXES)}")
        for name, pattern in (("path", self.path), ("query", self.query)):
            _check_pattern(name, pattern)
        if self.kind == "status" and self.status is None:
            raise ValueError("a fault of kind 'status' needs a 'status'")
        if self.kind == "redirect" and "location" not in map(str.lower, self.headers):
            raise ValueError("a fault of kind 'redirect' needs a 'Location' in its 'headers'")
        if self.kind == "truncate" and (self.rows is None or self.rows < 0):
            raise ValueError("a fault of kind 'truncate' needs a number of 'rows', 0 or more")
        if self.kind == "cap" and (self.rows is None or self.rows < 1):
            raise ValueError("a fault of kind 'cap' needs a number of 'rows', 1 or more")
        if self.kind == "local_days" and self.timezone not in available_timezones():
            raise ValueError("a fault of kind 'local_days' needs a 'timezone' of the tz database")
        if self.kind == "edit":
            self._check_edit()
        if self.kind == "encode" and not _is_encoding(self.encoding):
            raise ValueError("a fault of kind 'encode' needs an 'encoding', such as 'latin-1'")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError(f"'status' must be from 200 to 599; it is {self.status}")
        if self.status in _BODILESS and self.body:
            raise ValueError(f"an answer with status {self.status} cannot have a 'body'")
        if self.seconds < 0 or self.after < 0 or (self.times is not None and self.times < 0):
            raise ValueError("'seconds', 'after' and 'times' must not be negative")

    def _check_edit(self) -> None:
        if self.api is None or self.resource is None:
            raise ValueError("a fault of kind 'edit' needs an 'api' and its 'resource'")
        try:
            key = key_field(self.api, self.resource)
        except UnknownResourceError as error:
            raise ValueError(str(error)) from None
        if any(row.get(key) is None for row in self.upsert):
            raise ValueError(f"each row of 'upsert' needs its key '{key}'")

    @property
    def final_status(self) -> int:
        """The status with which a made-up answer goes out."""
        if self.status is not None:
            return self.status
        return 302 if self.kind == "redirect" else 200

    @property
    def has_body(self) -> bool:
        """Whether an answer with this status may have a body at all."""
        return self.final_status not in _BODILESS

    def hits(self, api: str, path: str, query: str) -> bool:
        """Whether such a request is meant, leaving `times` and `after` aside."""
        return (
            (self.api is None or self.api == api)
            and (self.path is None or re.search(self.path, path) is not None)
            and (self.query is None or re.search(self.query, query) is not None)
        )


class PlacedFault:
    """A fault with its count of requests."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0
        self.applied = 0

    def takes(self) -> bool:
        """Count one matching request; whether the fault hits it."""
        self.seen += 1
        spent = self.fault.times is not None and self.applied >= self.fault.times
        if self.seen <= self.fault.after or spent:
            return False
        self.applied += 1
        return True


class Faults:
    """The faults in force, in the order in which they were placed."""

    def __init__(self) -> None:
        self._placed: list[PlacedFault] = []

    @property
    def placed(self) -> tuple[PlacedFault, ...]:
        """All of them, spent ones included."""
        return tuple(self._placed)

    def place(self, fault: Fault) -> None:
        """Put one more in force, after the others."""
        self._placed.append(PlacedFault(fault))

    def clear(self) -> None:
        """Put none in force."""
        self._placed.clear()

    def next_for(self, api: str, path: str, query: str) -> Fault | None:
        """The fault that hits this request: the first that matches and isn't spent."""
        for placed in self._placed:
            if placed.fault.hits(api, path, query) and placed.takes():
                return placed.fault
        return None


def _check_pattern(name: str, pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise ValueError(f"'{name}' is not a regular expression: {error}") from None


def _is_encoding(name: str | None) -> bool:
    try:
        "".encode(name or "")
    except (LookupError, ValueError):
        return False
    return True
