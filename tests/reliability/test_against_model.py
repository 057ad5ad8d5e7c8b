"""Random histories against a model in plain Python: after each load the table equals the model.

A history is a series of edits of the API (add, change, move to another time, delete), each followed
by a load of a day, a range of days, or everything, which may be killed at a random point. The model
says in a few lines what a sync mode promises; a last load of everything closes each history.
"""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.reliability.faulty_load import COMMITTED, Fault, Job, start
from tests.support.warehouses import ask, fresh_database
from timetracking_assets.ingest.windows import Window

if TYPE_CHECKING:
    from tests.support.fault_table import Outcomes
    from timetracking_assets.sandbox import SandboxServer
    from timetracking_assets.spec.api import Api

FIRST, DAYS = date(2026, 3, 1), 4
# the first instant of a day, one within it, its last second; one of the day before, by its offset
TIMES = ("T00:00:00+00:00", "T12:30:00+02:00", "T23:59:59+00:00", "T01:00:00+02:00")
CRASHES = ("extract", "normalize", "before load", "staging", "merge", "commit", "bookkeeping")


@dataclass(frozen=True)
class Row:
    """What matters of a row: when it is, and what it says."""

    at: str
    text: str

    @property
    def instant(self) -> datetime:
        return datetime.fromisoformat(self.at).astimezone(UTC)


@dataclass(frozen=True)
class Step:
    """Edits of the API, then a load. A row of None is deleted."""

    edits: dict[int, Row | None]
    first_day: int
    days: int
    crash: str | None

    @property
    def window(self) -> Window:
        first = FIRST + timedelta(days=self.first_day)
        return Window.of_days(first, first + timedelta(days=self.days))


EVERYTHING = Step({}, -1, DAYS + 2, None)
ROWS = st.builds(
    lambda day, time, text: Row(f"{FIRST + timedelta(days=day)}{time}", text),
    st.integers(0, DAYS - 1),
    st.sampled_from(TIMES),
    st.sampled_from(["a", "b", "ä\"'"]),
)
STEPS = st.builds(
    Step,
    edits=st.dictionaries(st.integers(1, 6), st.none() | ROWS, max_size=5),
    first_day=st.integers(-1, DAYS - 1),
    days=st.integers(1, 3),
    crash=st.none() | st.sampled_from(CRASHES),
)


@dataclass
class Model:
    """What the API holds, and what the table must hold after the loads so far."""

    mode: str
    api: dict[int, Row] = field(default_factory=dict)
    table: dict[int, Row] = field(default_factory=dict)

    def edit(self, edits: dict[int, Row | None]) -> None:
        for key, row in edits.items():
            self.api.pop(key, None)
            if row is not None:
                self.api[key] = row

    def loaded(self, window: Window) -> dict[int, Row]:
        """The table after a load of `window`."""
        if self.mode == "snapshot":
            return dict(self.api)

        def inside(row: Row) -> bool:
            return window.start <= row.instant < window.end

        answer = {key: row for key, row in self.api.items() if inside(row)}
        if self.mode == "changes":
            return {**self.table, **answer}
        kept = {key: row for key, row in self.table.items() if not inside(row)}
        return {**kept, **answer}


@dataclass(frozen=True)
class Kind:
    """A resource of the sync mode, and which of its fields are those of the model's rows."""

    api: str
    resource: str
    at: str
    text: str


KINDS = {
    "snapshot": Kind("time_tracking", "time_tracking_data", "started_at", "note"),
    "window": Kind("workspace_time", "time_entries", "start", "description"),
    "changes": Kind("project_management", "entries", "time_last_change", "text"),
}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("mode", KINDS)
def test_table_equals_model(
    mode: str,
    apis: dict[str, Api],
    sandbox: SandboxServer,
    outcomes: Outcomes,
    tmp_path: Path,
) -> None:
    kind = KINDS[mode]
    home = tmp_path / "home"
    job = Job(apis[kind.api], kind.resource, sandbox.environment, home / "warehouse.duckdb")

    @given(st.lists(STEPS, min_size=4, max_size=7))
    def check(steps: list[Step]) -> None:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        model = Model(mode)
        with fresh_database() as named:
            histories(model, steps, named.get("DESTINATION__POSTGRES__CREDENTIALS", ""))

    def histories(model: Model, steps: list[Step], url: str) -> None:
        for step in [*steps, EVERYTHING]:
            note(str(step))
            model.edit(step.edits)
            rows = [{"id": key, kind.at: r.at, kind.text: r.text} for key, r in model.api.items()]
            sandbox.control.replace(kind.api, kind.resource, rows)
            after = model.loaded(step.window)
            window = None if mode == "snapshot" else step.window
            if load(replace(job, window=window, url=url), step.crash, tmp_path / "output"):
                model.table = after
            assert table(job.warehouse, kind, url) == {
                key: (row.instant, row.text) for key, row in model.table.items()
            }
            outcomes.add("random history", mode, "table equals model")
        gone = model.table.keys() - model.api.keys()
        assert {k: r for k, r in model.table.items() if k not in gone} == model.api
        # silence means unchanged: only this mode keeps what the API has deleted
        assert mode == "changes" or not gone
        assert not list(home.glob("*.loads/load-*"))

    check()


def load(job: Job, crash: str | None, output: Path) -> bool:
    """Load, or be killed at a point of it; whether the answer is in the table."""
    if crash is None:
        job.run()
        return True
    process = start(job, Fault("SIGKILL", crash), output)
    process.join(100)
    assert process.exitcode in (0, -signal.SIGKILL), output.read_text()
    # an answer of one page never comes to its second one, where it would have been killed
    return process.exitcode == 0 or crash in COMMITTED


def table(warehouse: Path, kind: Kind, url: str) -> dict[int, tuple[datetime, Any]]:
    """What the table holds. Raises if a key stands twice."""
    if not url and not warehouse.exists():
        return {}
    name = [kind.api, kind.resource]
    exists = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?"
    if not ask(warehouse, exists, name, url):
        return {}
    query = f'SELECT id, "{kind.at}", "{kind.text}" FROM {kind.api}.{kind.resource}'
    found = ask(warehouse, query, (), url)
    rows = {key: (at.astimezone(UTC), text) for key, at, text in found}
    assert len(rows) == len(found), f"a key stands twice: {found}"
    return rows
