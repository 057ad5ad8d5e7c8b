"""How old the sums of the model are: what has been loaded since, and what never has been.

Only what the instance remembers belongs here; what the tables hold is read in `hours/report.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from timetracking_assets.hours.tables import MARTS, SCHEMA
from timetracking_assets.orchestration.hours.asset_specs import hours_key

_MOST = 3


@dataclass(frozen=True)
class ModelAge:
    """`built_at`: when the older of the sums was built, None if the instance knows of no build.
    `newer`: the assets below them that have been materialized since. `never_loaded`: the APIs none
    of whose mapped assets has been, `loaded`: those of whose time entries some have."""

    exists: bool = False
    """Whether the project has a model of hours, built or not."""
    built_at: datetime | None = None
    newer: tuple[str, ...] = ()
    never_loaded: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()

    def notes(self, sources: Collection[str]) -> list[str]:
        """What a reader of the sums has to know, in sentences; `sources` are those that they have
        hours of."""
        notes = []
        if self.newer and self.built_at:
            rest = len(self.newer) - _MOST
            names = ", ".join(self.newer[:_MOST]) + (f" and {rest} more" if rest > 0 else "")
            notes.append(
                f"These hours are of {self.built_at:%Y-%m-%d %H:%M} UTC. Materialized since then: "
                f"{names}. Materialize the assets of the group `{SCHEMA}`; if it has been tried, "
                "its blocking checks say why the sums stay as they were."
            )
        # what another instance has loaded and built is not known here
        if self.built_at and (never := [api for api in self.never_loaded if api not in sources]):
            notes.append(f"Not in these hours, as never loaded: {', '.join(never)}.")
        if missing := [api for api in self.loaded if api not in sources]:
            notes.append(
                f"No hours are of {', '.join(missing)}, though loaded: the checks of "
                f"{SCHEMA}/time_entries say what is missing."
            )
        return notes


def model_age(instance: dg.DagsterInstance, specs: Iterable[dg.AssetSpec]) -> ModelAge:
    """How old the sums are; `specs` are those of all assets of the code location."""
    by_key = {spec.key: spec for spec in specs}
    marts = [hours_key(name) for name in MARTS]
    if not any(key in by_key for key in marts):
        return ModelAge()
    below = {mart: _below(mart, by_key) for mart in marts}
    keys = list(set(marts).union(*below.values()))
    at = {
        record.asset_entry.asset_key: record.asset_entry.last_materialization_record.timestamp
        for record in instance.get_asset_records(keys)
        if record.asset_entry.last_materialization_record is not None
    }
    newer = {
        key.to_user_string()
        for mart, above in below.items()
        for key in above
        if mart in at and at.get(key, 0.0) > at[mart]
    }
    raw = {key for keys in below.values() for key in keys if key.path[0] != SCHEMA}
    loaded = {key.path[0] for key in raw if key in at}
    # an API may know people, absences or plans, and no entries
    entries = by_key.get(hours_key("time_entries"))
    with_entries = {dep.asset_key for dep in entries.deps} & raw if entries else set()
    built = [at[mart] for mart in marts if mart in at]
    return ModelAge(
        exists=True,
        built_at=datetime.fromtimestamp(min(built), UTC) if built else None,
        newer=tuple(sorted(newer)),
        never_loaded=tuple(sorted({key.path[0] for key in raw} - loaded)),
        loaded=tuple(sorted({key.path[0] for key in with_entries if key in at})),
    )


def _below(key: dg.AssetKey, specs: Mapping[dg.AssetKey, dg.AssetSpec]) -> set[dg.AssetKey]:
    """All that `key` is made of, directly or not, as far as the model goes."""
    reached: set[dg.AssetKey] = set()
    waiting = [key]
    while waiting:
        current = waiting.pop()
        if current.path[0] != SCHEMA or current not in specs:
            continue
        for dep in specs[current].deps:
            if dep.asset_key not in reached:
                reached.add(dep.asset_key)
                waiting.append(dep.asset_key)
    return reached
