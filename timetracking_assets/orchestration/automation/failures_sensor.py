"""The failures sensor: one message when an incident begins, and one when it is resolved.

The cursor holds for each service the incidents that were reported to it; a message that could not
be sent is sent by the next tick, to that service alone. What an incident is, is in `incidents.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg
from pydantic import ConfigDict, TypeAdapter

from timetracking_assets.orchestration.automation.incidents import (
    Incident,
    Observed,
    incident_keys,
    observe,
    text_of,
)
from timetracking_assets.orchestration.automation.jobs import sensor_status
from timetracking_assets.orchestration.automation.notifications import (
    VARIABLE,
    NotifyError,
    run_url,
    send,
    services,
)
from timetracking_assets.spec.api import Api

_INTERVAL = 30
_MOST_LINES = 15
_CURSOR = TypeAdapter(dict[str, dict[str, Incident]], config=ConfigDict(defer_build=True))


def failures_sensor(api: Api) -> dg.SensorDefinition:
    """The sensor of `api`; it starts no runs."""

    @dg.sensor(
        name=f"{api.name}_failures",
        minimum_interval_seconds=_INTERVAL,
        description=f"Sends a message to the services in {VARIABLE} when a load or a check fails, "
        "or a table is overdue, and another one when that is resolved.",
        default_status=sensor_status(api),
    )
    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        urls = services()
        if not urls:
            return dg.SkipReason(f"{VARIABLE} is not set.")
        cursor = _CURSOR.validate_json(context.cursor or "{}")
        repository = context.repository_def
        checks = [
            key
            for key in (repository.asset_graph.asset_check_keys if repository else ())
            if key.asset_key.path[0] == api.name
        ]
        observed = observe(api, context.instance, checks, datetime.now(UTC))
        # what was removed from the YAML is not resolved, only dropped
        possible = incident_keys(api, checks)
        reported: dict[str, dict[str, Incident]] = {}
        results: list[str] = []
        for name, url in urls.items():
            known = {key: item for key, item in cursor.get(name, {}).items() if key in possible}
            begun, ended = compare(known, observed)
            try:
                if begun:
                    send(name, url, *_begin_message(api, begun), problem=True)
                    known |= begun
                if ended:
                    send(name, url, *_end_message(api, ended), problem=False)
                    known = {key: item for key, item in known.items() if key not in ended}
                results.append(f"{len(begun)} new, {len(ended)} resolved, {len(known)} open")
            except NotifyError as error:
                results.append(str(error))
                context.log.error(str(error))
            reported[name] = known
        return dg.SensorResult(
            skip_reason=dg.SkipReason("; ".join(dict.fromkeys(results))),
            cursor=_CURSOR.dump_json(reported).decode(),
        )

    return tick


def compare(
    known: Mapping[str, Incident], observed: Observed
) -> tuple[dict[str, Incident], dict[str, Incident]]:
    """The incidents that begin, and those of the `known` ones that are over.

    A table that is overdue because its load fails is one incident, not two.
    """
    failing = {item.asset for key, item in observed.incidents.items() if key.startswith("load ")}
    failing |= {known[key].asset for key in observed.undecided & known.keys()}
    begun = {
        key: item
        for key, item in observed.incidents.items()
        if key not in known and not (key.startswith("freshness ") and item.asset in failing)
    }
    still = observed.incidents.keys() | observed.undecided
    return begun, {key: item for key, item in known.items() if key not in still}


def _begin_message(api: Api, incidents: Mapping[str, Incident]) -> tuple[str, str]:
    return f"{api.name}: problem with {_assets(incidents)}", _lines(incidents)


def _end_message(api: Api, incidents: Mapping[str, Incident]) -> tuple[str, str]:
    return f"{api.name}: resolved: {_assets(incidents)}", _lines(incidents)


def _assets(incidents: Mapping[str, Incident]) -> str:
    names = sorted({item.asset.partition("/")[2] for item in incidents.values()})
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} assets"


def _lines(incidents: Mapping[str, Incident]) -> str:
    lines = []
    for _, incident in sorted(incidents.items())[:_MOST_LINES]:
        lines.append(f"- {text_of(incident)}")
        if incident.run_id:
            lines.append(f"  {run_url(incident.run_id)}")
    if len(incidents) > _MOST_LINES:
        lines.append(f"- and {len(incidents) - _MOST_LINES} more")
    return "\n".join(lines)
