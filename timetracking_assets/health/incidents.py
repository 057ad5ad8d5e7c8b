"""Incidents of an asset: when a load or a check failed, and when it next succeeded.

Pure functions of facts. They reach back only as far as the facts do: what is older is neither good
nor bad, but unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from timetracking_assets.health.model import CheckResult, Incident, Load, OrderedDays


def load_incidents(failures: Iterable[datetime], loads: Sequence[Load]) -> list[Incident]:
    """From each failed load to the next one that succeeded; `loads` are the newest, in any order.

    Failures from before the oldest of `loads` are left out where there may be older ones.
    """
    successes = sorted(load.at for load in loads)
    incidents: dict[datetime | None, Incident] = {}
    for failed in sorted(failures):
        ended = next((at for at in successes if at > failed), None)
        # several failures before one success are one incident
        incidents.setdefault(ended, Incident("Load failed", failed, ended))
    return list(incidents.values())


def check_incidents(name: str, results: Sequence[CheckResult]) -> list[Incident]:
    """From each failed result of a check to the next that passed; `results` are newest first."""
    incidents: list[Incident] = []
    began: datetime | None = None
    for result in reversed(results):
        if result.passed and began is not None:
            incidents.append(Incident(f"Check {name} failed", began, result.at))
            began = None
        elif not result.passed and began is None:
            began = result.at
    if began is not None:
        incidents.append(Incident(f"Check {name} failed", began, None))
    return incidents


def ordered_days(
    incidents: Sequence[Incident], known_since: datetime | None, now: datetime, days: int
) -> OrderedDays:
    """On how many of the last `days` days (UTC, today included) no incident was open."""
    first = now.date() - timedelta(days=days - 1)
    if known_since is None:
        return OrderedDays(days, 0, 0)
    first = max(first, known_since.date())
    known = [first + timedelta(days=n) for n in range((now.date() - first).days + 1)]
    spans = [(item.began.date(), (item.ended or now).date()) for item in incidents]
    return OrderedDays(days, sum(not _touched(day, spans) for day in known), len(known))


def _touched(day: date, spans: Iterable[tuple[date, date]]) -> bool:
    return any(began <= day <= ended for began, ended in spans)
