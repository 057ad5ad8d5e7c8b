"""The health report: what is known of each asset, judged, ready to be shown.

Only shapes and what follows from them belong here. Times are aware and in UTC, durations are in
seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from timetracking_assets.orchestration.ui_address import anchor


class State(IntEnum):
    """How an asset, a check or an API is, from best to worst."""

    UNUSED = 0
    """Never loaded, and no load was tried."""
    OK = 1
    WARNING = 2
    FAILED = 3

    @property
    def word(self) -> str:
        """The state for people."""
        return {0: "not in use", 1: "ok", 2: "warning", 3: "failed"}[self.value]

    @property
    def symbol(self) -> str:
        """A sign for those who can't tell colours apart."""
        return {0: "-", 1: "✓", 2: "!", 3: "✗"}[self.value]


class PartitionState(StrEnum):
    """What became of a partition."""

    LOADED = "loaded"
    FAILED = "failed"
    RUNNING = "running"
    MISSING = "missing"
    NOT_STARTED = "before the first load"


@dataclass(frozen=True)
class Load:
    """One run's load of one asset, as its materialization tells it; numbers by metadata name."""

    run_id: str
    at: datetime
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Time spent in all phases, waiting included."""
        return sum(v for name, v in self.numbers.items() if name.startswith("seconds_"))

    @property
    def rows_changed(self) -> float:
        """Rows inserted, updated and deleted."""
        names = ("rows_inserted", "rows_updated", "rows_deleted")
        return sum(self.numbers.get(name, 0) for name in names)


@dataclass(frozen=True)
class CheckResult:
    """One evaluation of a check."""

    at: datetime
    passed: bool
    is_error: bool
    run_id: str
    description: str | None = None

    @property
    def state(self) -> State:
        """A failed check is a failure or a warning, by its severity."""
        if self.passed:
            return State.OK
        return State.FAILED if self.is_error else State.WARNING


@dataclass(frozen=True)
class CheckHealth:
    """A check and its evaluations, newest first."""

    name: str
    description: str | None
    results: tuple[CheckResult, ...] = ()

    @property
    def state(self) -> State:
        """The state of the newest evaluation."""
        return self.results[0].state if self.results else State.UNUSED


@dataclass(frozen=True)
class Partition:
    """A partition that is due (its start has passed), with the rows that the table holds for it
    (None: not counted)."""

    key: str
    state: PartitionState
    rows: int | None = None


@dataclass(frozen=True)
class Problem:
    """What is wrong, since when, and what to do about it. `link` is a path of the Dagster UI."""

    state: State
    what: str
    advice: str
    link: str
    since: datetime | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Incident:
    """One thing that went wrong; without `ended` it still lasts."""

    what: str
    began: datetime
    ended: datetime | None

    def lasted(self, now: datetime) -> timedelta:
        """How long it lasted, up to `now` if it still does."""
        return (self.ended or now) - self.began


@dataclass(frozen=True)
class OrderedDays:
    """On how many of the last `days` days no incident was open, of those `known` at all."""

    days: int
    good: int
    known: int


@dataclass(frozen=True)
class NextRun:
    """The next tick of a schedule, which may be switched off."""

    at: datetime
    schedule: str
    on: bool


@dataclass(frozen=True)
class AssetHealth:
    """One asset (or resource of an API)."""

    path: tuple[str, ...]
    group: str
    description: str | None
    state: State
    last_success: datetime | None
    freshness: str
    freshness_state: State
    rows: int | None
    problems: tuple[Problem, ...]
    checks: tuple[CheckHealth, ...]
    loads: tuple[Load, ...]
    partitions: tuple[Partition, ...]
    running: bool = False
    owners: tuple[str, ...] = ()
    downstream: tuple[str, ...] = ()
    """Names of the assets that depend on it, directly or not."""
    incidents: tuple[Incident, ...] = ()
    """The newest first."""
    ordered_days: tuple[OrderedDays, ...] = ()
    next_run: NextRun | None = None
    schema_changes: tuple[CheckResult, ...] = ()

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return anchor(self.path)

    @property
    def name(self) -> str:
        """The asset as messages name it: `api/resource`."""
        return "/".join(self.path)

    @property
    def short_name(self) -> str:
        """The last part of the name: the resource."""
        return self.path[-1]

    def count(self, state: PartitionState) -> int:
        """How many partitions are in that state."""
        return sum(partition.state == state for partition in self.partitions)

    @property
    def checks_passed(self) -> int:
        """Checks whose newest evaluation passed."""
        return sum(check.state == State.OK for check in self.checks)

    @property
    def checks_evaluated(self) -> int:
        """Checks that were evaluated at all."""
        return sum(check.state != State.UNUSED for check in self.checks)


@dataclass(frozen=True)
class ApiHealth:
    """The assets of one group: one API."""

    name: str
    assets: tuple[AssetHealth, ...]

    @property
    def state(self) -> State:
        """The worst state of its assets."""
        return worst([asset.state for asset in self.assets])


@dataclass(frozen=True)
class Report:
    """Everything that the page, the Markdown and the terminal show."""

    at: datetime
    apis: tuple[ApiHealth, ...]
    notes: tuple[str, ...] = ()
    """What is left out of it, and why."""

    @property
    def assets(self) -> list[AssetHealth]:
        """All assets, in the order of the report."""
        return [asset for api in self.apis for asset in api.assets]

    @property
    def state(self) -> State:
        """The worst state of all."""
        return worst([api.state for api in self.apis])

    @property
    def problems(self) -> list[tuple[AssetHealth, Problem]]:
        """What needs attention, the worst first."""
        pairs = [(asset, problem) for asset in self.assets for problem in asset.problems]
        return sorted(pairs, key=lambda item: -item[1].state)

    def count(self, state: State) -> int:
        """How many assets are in that state."""
        return sum(asset.state == state for asset in self.assets)


def worst(states: Sequence[State]) -> State:
    """The worst of `states`; of none, `UNUSED`."""
    return max(states, default=State.UNUSED)
