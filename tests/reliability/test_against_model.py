"""Random histories against a model in plain Python: after each load the table equals the model.

A history is a series of edits of the API (add, change, move to another time, delete), each followed
by a load of a day, a range of days, or everything. A load may be killed at a random point, another
one may ask later and write first, or the list may shift between two of its pages. The model says in
a few lines what a sync mode promises; a last load of everything closes each history.

RANDOM_HISTORIES sets how many histories there are, of all modes together.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from tests.reliability.faulty_load import COMMITTED, Fault, Job, start
from tests.support.warehouses import ask, columns, fresh_database
from timetracking_assets.ingest.load import run
from timetracking_assets.ingest.windows import Window
from timetracking_assets.spec.model import TotalSpec

if TYPE_CHECKING:
    from tests.support.fault_table import Outcomes
    from timetracking_assets.ingest.load.report import LoadReport
    from timetracking_assets.sandbox import SandboxServer
    from timetracking_assets.spec.api import Api, Resource

FIRST, DAYS = date(2026, 3, 1), 4
# the first instant of a day, one within it, its last second; one of the day before, by its offset
TIMES = ("T00:00:00+00:00", "T12:30:00+02:00", "T23:59:59+00:00", "T01:00:00+02:00")
CRASHES = ("extract", "normalize", "before load", "staging", "merge", "commit", "bookkeeping")
# no column is declared for them: its type widens
AMOUNTS = (None, 1, -3, 2.5, 2**53 + 1, 10**25)
KEYS = st.integers(1, 6)


@dataclass(frozen=True, eq=False)
class Row:
    """What matters of a row: when it is, what it says, and how much it is of. Rows are equal that a
    table holds as the same."""

    at: str
    text: str
    amount: float | Decimal | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and self.stored == other.stored

    def __hash__(self) -> int:
        return hash(self.stored)

    @property
    def instant(self) -> datetime:
        return datetime.fromisoformat(self.at).astimezone(UTC)

    @property
    def stored(self) -> tuple[datetime, str, Decimal | None]:
        """What a table holds of it."""
        return self.instant, self.text, None if self.amount is None else Decimal(str(self.amount))


Edits = Mapping[int, Row | None]
"""Rows by key that come or change; those that are None are deleted."""
Rows = dict[int, Row]


@dataclass(frozen=True)
class Days:
    """Days that a load is for."""

    first: int
    count: int

    @property
    def window(self) -> Window:
        first = FIRST + timedelta(days=self.first)
        return Window.of_days(first, first + timedelta(days=self.count))


@dataclass(frozen=True)
class Crash:
    """The load is killed at a point of it."""

    point: str


@dataclass(frozen=True)
class Overlap:
    """When the load has its answer, the API is edited, and another load asks and writes."""

    edits: Edits
    days: Days


@dataclass(frozen=True)
class Shift:
    """The API is edited between the first page of the load and the second."""

    edits: Edits


@dataclass(frozen=True)
class Step:
    """Edits of the API, then a load, and what happens meanwhile."""

    edits: Edits
    days: Days
    event: Crash | Overlap | Shift | None


EVERYTHING = Step({}, Days(-1, DAYS + 2), None)
ROWS = st.builds(
    lambda day, time, text, amount: Row(f"{FIRST + timedelta(days=day)}{time}", text, amount),
    st.integers(0, DAYS - 1),
    st.sampled_from(TIMES),
    st.sampled_from(["a", "b", "ä\"'"]),
    st.sampled_from(AMOUNTS),
)
EDITS = st.dictionaries(KEYS, st.none() | ROWS, max_size=5)
SOME_DAYS = st.builds(Days, st.integers(-1, DAYS - 1), st.integers(1, 3))
STEPS = st.builds(
    Step,
    edits=EDITS,
    days=SOME_DAYS,
    event=st.one_of(
        st.none(),
        st.builds(Crash, st.sampled_from(CRASHES)),
        st.builds(Overlap, EDITS, SOME_DAYS),
        st.builds(Shift, EDITS),
    ),
)
EMPTY = st.builds(Step, edits=st.just({}), days=SOME_DAYS, event=st.none())
# every other history begins with an API that holds nothing
HISTORIES = st.tuples(st.lists(EMPTY, max_size=1), st.lists(STEPS, min_size=4, max_size=7)).map(
    lambda parts: [*parts[0], *parts[1]]
)


@dataclass(frozen=True)
class Model:
    """What the table of a sync mode must hold after a load."""

    mode: str

    def scope(self, rows: Mapping[int, Row], window: Window) -> Rows:
        """The rows that an answer for the window holds, or (of a table) replaces."""
        whole = self.mode == "snapshot"
        return {k: r for k, r in rows.items() if whole or window.start <= r.instant < window.end}

    def loaded(self, table: Rows, api: Rows, window: Window) -> Rows:
        """The table after a load of `window`."""
        replaced = {} if self.mode == "changes" else self.scope(table, window)
        kept = {key: row for key, row in table.items() if key not in replaced}
        return {**kept, **self.scope(api, window)}

    def problems(self, before: Rows, after: Rows, states: list[Rows], window: Window) -> list[str]:
        """What a load must not do, whichever of the API's `states` its pages are of."""
        problems = []
        answers = [self.scope(api, window) for api in states]
        in_scope = {} if self.mode == "changes" else self.scope(before, window)
        for key, row in after.items():
            if row not in [before.get(key), *(answer.get(key) for answer in answers)]:
                problems.append(f"{key} is {row}, which it never was")
        for key in before:
            answered = [answer.get(key) for answer in answers]
            if key not in after and key not in in_scope:
                problems.append(f"{key} went, which was not requested")
            elif key not in after and all(answered):
                problems.append(f"{key} went, which lives")
            elif key in after and key in in_scope and not any(answered):
                problems.append(f"{key} stayed, which is gone")
            elif key in in_scope and all(answered) and after[key] not in answered:
                problems.append(f"{key} is {after[key]}, not one of {answered}")
        return problems


@dataclass(frozen=True)
class Kind:
    """A resource of the sync mode, which of its fields are those of the model's rows, and what is
    changed in it."""

    api: str
    resource: str
    at: str
    text: str
    changes: Callable[[Resource, str], dict[str, Any]] = field(default=lambda *_: {})
    confirms: bool = True
    """Whether no row that lives is ever removed, as many others as come or go meanwhile."""


def in_small_pages(total: bool, **more: Any) -> Callable[[Resource, str], dict[str, Any]]:
    """Two rows a page; no column is declared but the time."""

    def change(resource: Resource, mode: str) -> dict[str, Any]:
        paginator = {"type": "page_number", "base_page": 1, "page_param": "page"}
        paginator["total_path"] = "paging.count_pages" if total else None
        partitioned = {} if mode != "snapshot" else {"window": None, "partitions": None}
        return {
            "endpoint": {
                **resource.endpoint,
                "params": {"items_per_page": 2},
                "paginator": paginator,
            },
            "page_size": 2,
            "total": TotalSpec(path="paging.count_items") if total else None,
            "columns": {"time_last_change": resource.columns["time_last_change"]},
            "sync_mode": mode,
            **partitioned,
            **more,
        }

    return change


ENTRIES = Kind("project_management", "entries", "time_last_change", "text")
PAGED = {
    "no total": replace(ENTRIES, changes=in_small_pages(False)),
    "a total": replace(ENTRIES, changes=in_small_pages(True), confirms=False),
    "a total, confirmed": replace(ENTRIES, changes=in_small_pages(True, confirm_removal="always")),
}
KINDS = {
    "snapshot": {
        "shipped": Kind("time_tracking", "time_tracking_data", "started_at", "note"),
        **PAGED,
    },
    "window": {"shipped": Kind("workspace_time", "time_entries", "start", "description"), **PAGED},
    "changes": {"shipped": ENTRIES, **PAGED},
}


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("mode", KINDS)
def test_table_equals_model(
    mode: str,
    apis: dict[str, Api],
    sandbox: SandboxServer,
    outcomes: Outcomes,
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"

    @given(st.sampled_from(sorted(KINDS[mode])), HISTORIES)
    def check(name: str, steps: list[Step]) -> None:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        with fresh_database() as named:
            url = named.get("DESTINATION__POSTGRES__CREDENTIALS", "")
            history = History(mode, KINDS[mode][name], apis, sandbox, home, url)
            for step in [*steps, EVERYTHING]:
                note(str(step))
                outcomes.add("random history", mode, history.take(step))
            assert not history.differs_from_api()
        assert not list(home.glob("*.loads/load-*"))
        outcomes.add("random history", mode, "history without a difference")

    if "RANDOM_HISTORIES" in environ:
        count = -(-int(environ["RANDOM_HISTORIES"]) // len(KINDS))
        # a history is printed as it was made: to find a shorter one takes too long
        check = settings(max_examples=count, derandomize=False, phases=[Phase.generate])(check)
    check()


class History:
    """One table and its API, as steps go on."""

    def __init__(
        self,
        mode: str,
        kind: Kind,
        apis: dict[str, Api],
        sandbox: SandboxServer,
        home: Path,
        url: str,
    ) -> None:
        self._model, self._kind, self._sandbox, self._home = Model(mode), kind, sandbox, home
        api = apis[kind.api]
        resource = api.resources[kind.resource]
        resource = resource.model_copy(update=kind.changes(resource, mode))
        api = replace(api, resources={**api.resources, kind.resource: resource})
        self._job = Job(api, kind.resource, sandbox.environment, home / "warehouse.duckdb", url=url)
        self._api: Rows = {}
        self._table: Rows = {}

    def take(self, step: Step) -> str:
        """Edit, load and compare; what was compared."""
        self._edit(step.edits)
        window, event = step.days.window, step.event
        expected = self._model.loaded(self._table, self._api, window)
        if isinstance(event, Crash):
            is_loaded = self._killed(window, event.point)
            self._expect(expected if is_loaded else self._table)
            return "equals the model after a load that was killed"
        if isinstance(event, Overlap):
            self._overlap(window, event)
            return "equals the model after loads that overlap"
        if isinstance(event, Shift):
            return self._shift(window, event)
        self._load(window)
        self._expect(expected)
        return "equals the model after a load"

    def differs_from_api(self) -> bool:
        """Whether the table is not what the API holds, after a load of all."""
        # silence means unchanged: only this mode keeps what the API has deleted
        kept = self._table if self._model.mode == "changes" else {}
        return self._table != {**kept, **self._api}

    def _edit(self, edits: Edits) -> None:
        for key, row in edits.items():
            self._api.pop(key, None)
            if row is not None:
                self._api[key] = row
        rows = [self._sent(key, row) for key, row in self._api.items()]
        self._sandbox.control.replace(self._kind.api, self._kind.resource, rows)

    def _sent(self, key: int, row: Row) -> dict[str, Any]:
        kind = self._kind
        return {"id": key, kind.at: row.at, kind.text: row.text, "amount": row.amount}

    def _at(self, window: Window) -> Job:
        return replace(self._job, window=None if self._model.mode == "snapshot" else window)

    def _load(self, window: Window) -> LoadReport:
        return self._at(window).run()

    def _killed(self, window: Window, point: str) -> bool:
        """Load, and be killed at a point of it; whether the answer is in the table."""
        output = self._home.with_suffix(".output")
        process = start(self._at(window), Fault("SIGKILL", point), output)
        process.join(100)
        assert process.exitcode in (0, -signal.SIGKILL), output.read_text()
        # an answer of one page never comes to its second one, where it would have been killed
        return process.exitcode == 0 or point in COMMITTED

    def _overlap(self, window: Window, event: Overlap) -> None:
        model, before, asked = self._model, self._table, dict(self._api)
        other = event.days.window

        def meanwhile() -> None:
            self._edit(event.edits)
            self._load(other)

        with before_it_writes(meanwhile):
            report = self._load(window)
        if report.times_overtaken:
            written = model.loaded(before, self._api, other)
            self._expect(model.loaded(written, self._api, window))
            return
        assert model.mode != "snapshot"
        assert window.end <= other.start or other.end <= window.start
        # they take effect in the order in which they asked
        written = model.loaded(before, asked, window)
        if report.confirmation_requests:
            # what was confirmed, was confirmed after the edits
            now = self._now()
            states = [asked, dict(self._api)]
            assert not model.problems(model.loaded(before, self._api, other), now, states, window)
            self._table = now
            return
        self._expect(model.loaded(written, self._api, other))

    def _shift(self, window: Window, event: Shift) -> str:
        kind, before, asked = self._kind, self._table, dict(self._api)
        control = self._sandbox.control
        control.place_fault(
            "edit",
            api=kind.api,
            resource=kind.resource,
            query=r"\bpage=2\b",
            times=1,
            delete=[key for key, row in event.edits.items() if row is None],
            upsert=[self._sent(key, row) for key, row in event.edits.items() if row],
        )
        try:
            report = self._load(window)
            [fault] = control.faults()
        finally:
            control.clear_faults()
        if not fault["applied"]:
            # a single page
            self._expect(self._model.loaded(before, asked, window))
            return "equals the model after a load"
        self._edit(event.edits)
        if report.times_shifted:
            self._expect(self._model.loaded(before, self._api, window))
            return "equals the model after a list that lost rows"
        now, states = self._now(), [asked, dict(self._api)]
        problems = self._model.problems(before, now, states, window)
        sizes = {len(self._model.scope(api, window)) for api in states}
        if not kind.confirms and len(sizes) == 1:
            # as many came as went: the total says nothing
            problems = [problem for problem in problems if "which lives" not in problem]
        if report.rows_kept:
            problems = [problem for problem in problems if "stayed" not in problem]
        assert not problems, (problems, before, now, states)
        self._table = now
        return "no living row is gone after a list that shifted"

    def _expect(self, rows: Rows) -> None:
        assert self._now() == rows
        self._table = rows

    def _now(self) -> Rows:
        """What the table holds. Raises if a key stands twice."""
        job, kind = self._job, self._kind
        if not job.url and not job.warehouse.exists():
            return {}
        name = f"{kind.api}.{kind.resource}"
        held = columns(name, lambda *query: ask(job.warehouse, *query, job.url))
        if not held:
            return {}
        values = [f'"{c}"' if c in held else "NULL" for c in (kind.at, kind.text, "amount")]
        stored = ask(job.warehouse, f"SELECT id, {', '.join(values)} FROM {name}", (), job.url)
        rows = {int(key): Row(at.isoformat(), *others) for key, at, *others in stored}
        assert len(rows) == len(stored), f"a key stands twice: {stored}"
        return rows


@contextmanager
def before_it_writes(action: Callable[[], object]) -> Iterator[None]:
    """Do something when a load has its answer, before it has the warehouse's lock."""
    original = run._load
    done = False

    def replacement(*arguments: Any) -> None:
        nonlocal done
        if not done:
            done = True
            action()
        original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_load", replacement)
        yield
