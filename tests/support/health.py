"""A health report as large as that of the shipped APIs, with everything that the page can show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from timetracking_assets.health.model import (
    ApiHealth,
    AssetHealth,
    CheckHealth,
    CheckResult,
    Incident,
    Load,
    NextRun,
    OrderedDays,
    Partition,
    PartitionState,
    Problem,
    Report,
    State,
)
from timetracking_assets.sandbox.catalog import KEYS

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
_DAYS = 430
_CHECKS = ("primary_key_unique", "rows_reconciled", "primary_key_not_null", "volume_as_usual")


def large_report() -> Report:
    """The report; times are in UTC, the newest is `NOW`."""
    apis = []
    for api, resources in KEYS.items():
        assets = [_asset(api, name, number) for number, name in enumerate(resources)]
        apis.append(ApiHealth(api, tuple(assets)))
    return Report(NOW, tuple(apis), ("A note.",))


def _asset(api: str, name: str, number: int) -> AssetHealth:
    failed = number == 2
    path = (api, name)
    checks = tuple(
        CheckHealth(check, "What is checked.", _results(failed and check == _CHECKS[1]))
        for check in _CHECKS
    )
    problem = Problem(
        State.FAILED,
        "Check rows_reconciled failed",
        "Load it again.",
        f"/assets/{api}/{name}?view=checks",
        since=NOW - timedelta(hours=5),
        detail="The answer has 12 keys; the table holds 11 rows of them.",
    )
    incidents = [Incident("Load failed", NOW - timedelta(days=40), NOW - timedelta(days=37))]
    if failed:
        incidents.insert(0, Incident("Check rows_reconciled failed", NOW - timedelta(days=2), None))
    change = CheckResult(NOW - timedelta(days=9), False, False, "run", "new: nickname (text)")
    return AssetHealth(
        path=path,
        group=api,
        description="Rows of the API.",
        state=State.FAILED if failed else State.OK,
        last_success=NOW - timedelta(hours=number),
        freshness=f"loaded {number} hours ago",
        freshness_state=State.OK,
        rows=1000 * number,
        problems=(problem,) * failed,
        checks=checks,
        loads=tuple(
            Load("run", NOW - timedelta(days=n), {"requests": 3 + n % 5, "seconds_load": 1.5})
            for n in range(30)
        ),
        partitions=_partitions() if number in (1, 3) else (),
        owners=("team:data",) if number % 2 else (),
        downstream=(f"{api}/child",) if failed else (),
        incidents=tuple(incidents) if number < 4 else (),
        ordered_days=(OrderedDays(30, 28, 30), OrderedDays(90, 84, 88)),
        next_run=NextRun(NOW + timedelta(hours=16), "nightly", on=number != 3),
        schema_changes=(change,) if number == 1 else (),
    )


def _results(failed: bool) -> tuple[CheckResult, ...]:
    return tuple(
        CheckResult(NOW - timedelta(days=n), not (failed and n == 0), True, "run", "A result.")
        for n in range(10)
    )


def _partitions() -> tuple[Partition, ...]:
    first = NOW.date() - timedelta(days=_DAYS)
    states = {
        0: PartitionState.NOT_STARTED,
        410: PartitionState.MISSING,
        420: PartitionState.FAILED,
    }
    return tuple(
        Partition(
            (first + timedelta(days=n)).isoformat(),
            states.get(n, PartitionState.LOADED),
            n % 37 if n % 7 < 5 else 0,
        )
        for n in range(_DAYS)
    )
