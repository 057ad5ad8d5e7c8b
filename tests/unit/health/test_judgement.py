"""From facts to a report: states, problems and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from timetracking_assets.health.event_log import AssetFacts, Attempt
from timetracking_assets.health.judgement import build_report
from timetracking_assets.health.model import (
    AssetHealth,
    CheckResult,
    Load,
    PartitionState,
    Report,
    State,
)
from timetracking_assets.health.watched import WatchedAsset
from timetracking_assets.orchestration.automation.freshness import Verdict
from timetracking_assets.spec.api import Freshness, Schedule

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
KEY = dg.AssetKey(["api", "entries"])
CHECK = dg.AssetCheckSpec("filled", asset=KEY, description="All filled.")
DAILY = dg.DailyPartitionsDefinition(start_date="2026-03-01")
LOADED_AT = NOW - timedelta(hours=2)
LOADED, FAILED = PartitionState.LOADED, PartitionState.FAILED


def asset(key: dg.AssetKey = KEY, **changes: Any) -> WatchedAsset:
    given: dict[str, Any] = {"partitions": None, "freshness": None, "checks": (CHECK,), **changes}
    return WatchedAsset(key=key, group="api", description=None, metadata={}, **given)


def load(hours_ago: float = 1, **numbers: float) -> Load:
    return Load("run", NOW - timedelta(hours=hours_ago), numbers)


def judge(facts: AssetFacts, **changes: Any) -> AssetHealth:
    [judged] = report_of([asset(**changes)], {KEY: facts}).assets
    return judged


def report_of(assets: Sequence[WatchedAsset], facts: dict[dg.AssetKey, AssetFacts]) -> Report:
    return build_report(assets, facts, {}, NOW)


def days(*numbers: int, state: PartitionState = LOADED) -> dict[str, PartitionState]:
    return {f"2026-03-{number:02}": state for number in numbers}


def result(passed: bool, *, error: bool = False, hours_ago: float = 1) -> CheckResult:
    return CheckResult(NOW - timedelta(hours=hours_ago), passed, error, "run", "3 are empty")


def test_nothing_ever_happened() -> None:
    judged = judge(AssetFacts())
    assert (judged.state, judged.problems) == (State.UNUSED, ())
    assert report_of([asset()], {KEY: AssetFacts()}).state == State.UNUSED


def test_never_loaded_beside_others_is_a_warning() -> None:
    other = dg.AssetKey(["api", "other"])
    report = report_of(
        [asset(), asset(other)], {KEY: AssetFacts(loads=(load(),)), other: AssetFacts()}
    )
    assert [a.state for a in report.assets] == [State.OK, State.WARNING]
    assert [problem.what for _, problem in report.problems] == ["Never loaded"]


def test_loaded_and_checked() -> None:
    facts = AssetFacts(
        loads=(load(**{"dagster/row_count": 7}),), checks={"filled": (result(True),)}
    )
    judged = judge(facts)
    assert (judged.state, judged.rows, judged.checks_passed) == (State.OK, 7, 1)
    assert judged.freshness == "loaded an hour ago"


@pytest.mark.parametrize(("error", "state"), [(True, State.FAILED), (False, State.WARNING)])
def test_failed_check_counts_by_its_severity_since_it_first_failed(
    error: bool, state: State
) -> None:
    history = tuple(
        result(passed, error=error, hours_ago=ago)
        for ago, passed in ((1, False), (2, False), (3, True), (4, False))
    )
    judged = judge(AssetFacts(loads=(load(),), checks={"filled": history}))
    assert judged.state == state
    [problem] = judged.problems
    assert problem.since == NOW - timedelta(hours=2)
    assert problem.detail == "3 are empty"
    assert problem.link == "/assets/api/entries?view=checks&checkDetail=filled"


def test_failed_load_is_red_and_says_why() -> None:
    attempt = Attempt("r1", dg.DagsterRunStatus.FAILURE, NOW, "HTTP 403")
    judged = judge(AssetFacts(loads=(load(),), attempt=attempt))
    assert judged.state == State.FAILED
    [problem] = judged.problems
    assert (problem.detail, problem.link) == ("HTTP 403", "/runs/r1")


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
def test_running_load_is_no_problem(status: dg.DagsterRunStatus) -> None:
    attempt = Attempt("r1", status, NOW)
    judged = judge(AssetFacts(loads=(load(),), attempt=attempt))
    assert (judged.state, judged.running) == (State.OK, True)


def test_all_days_are_there() -> None:
    facts = AssetFacts(loads=(load(),), partitions=days(*range(1, 11)))
    judged = judge(facts, partitions=DAILY)
    assert judged.state == State.OK
    assert judged.count(LOADED) == len(judged.partitions) == 10


def test_loads_of_other_partitions_than_the_present_ones_do_not_count() -> None:
    """The YAML once said years, or the start has moved past all that was loaded."""
    facts = AssetFacts(loads=(load(),), partitions={"2025": LOADED})
    judged = judge(facts, partitions=DAILY)
    assert "10 partitions before the first load" in str(judged.problems)
    assert judged.state > State.OK


def test_gap_is_red_and_days_before_the_first_load_a_warning() -> None:
    facts = AssetFacts(loads=(load(),), partitions=days(3, 4, 7, 8, 9, 10))
    judged = judge(facts, partitions=DAILY)
    assert {problem.what: problem.state for problem in judged.problems} == {
        "2 partitions missing between others: 2026-03-05, 2026-03-06": State.FAILED,
        "2 partitions before the first load: 2026-03-01, 2026-03-02": State.WARNING,
    }


def test_failed_partition_is_red() -> None:
    states = {**days(*range(1, 11)), **days(4, state=FAILED)}
    judged = judge(AssetFacts(loads=(load(),), partitions=states), partitions=DAILY)
    assert judged.state == State.FAILED
    assert [p.what for p in judged.problems] == ["1 partition failed: 2026-03-04"]


@pytest.mark.parametrize(
    ("verdict", "state", "text"),
    [
        (Verdict(None), State.UNUSED, "loaded an hour ago"),
        (Verdict(True, loaded=LOADED_AT), State.OK, "loaded 2 hours ago"),
        (Verdict(True, loaded=LOADED_AT, late=True), State.WARNING, "loaded 2 hours ago, 5 hours"),
        (
            Verdict(False, NOW, loaded=LOADED_AT),
            State.FAILED,
            "loaded 2 hours ago, 5 hours allowed",
        ),
        (Verdict(False, NOW, "2026-03-10"), State.FAILED, "2026-03-10 is missing"),
        (Verdict(True, None, "2026-03-10", LOADED_AT), State.OK, "2026-03-10 loaded 2 hours ago"),
    ],
)
def test_freshness_in_words(verdict: Verdict, state: State, text: str) -> None:
    policy = Freshness(fail_after=timedelta(hours=5))
    judged = judge(AssetFacts(loads=(load(),), freshness=verdict), freshness=policy)
    assert judged.freshness_state == state
    assert judged.freshness.startswith(text)
    assert [problem.state for problem in judged.problems] == [state] * (state > State.OK)


def test_a_missed_deadline_is_named() -> None:
    policy = Freshness(deadlines=Schedule("0 9 * * *", "UTC"), within=timedelta(hours=1))
    overdue = Verdict(False, NOW, loaded=LOADED_AT)
    judged = judge(AssetFacts(loads=(load(),), freshness=overdue), freshness=policy)
    assert judged.freshness == "loaded 2 hours ago, due 2026-03-11 12:00 UTC"
