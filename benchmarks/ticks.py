"""How long the code location's schedules and sensors take to decide, over a long history."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import dagster as dg
from rich.table import Table

from benchmarks import long_history
from timetracking_assets.definitions import defs
from timetracking_assets.files.api_file import read_api_files
from timetracking_assets.files.locations import shipped_apis
from timetracking_assets.sandbox import SandboxServer


def ticks(home: Path, days: int, rounds: int) -> Table:
    """Each schedule and sensor of the shipped APIs, `rounds` times, against the sandbox.

    The event log holds `days` loads of each asset, with results of all its checks. The first tick
    of a sensor has no cursor; the others go on from its answer.
    """
    start = datetime.now(UTC).date() - timedelta(days=days)
    apis = [str(f.attributes["name"]) for p in shipped_apis().values() for f in read_api_files(p)]
    with SandboxServer() as server:
        os.environ.update(server.environment)
        os.environ.update({f"{api.upper()}_START": start.isoformat() for api in apis})
        # a message that is sent nowhere: the failures sensor reads everything before it
        os.environ["TIMETRACKING_NOTIFY_URLS"] = "json://127.0.0.1:9"
        logging.disable()
        location = defs()
        repository = location.get_repository_def()
        specs = location.resolve_all_asset_specs()
        checks: dict[dg.AssetKey, list[str]] = {spec.key: [] for spec in specs}
        for key in repository.asset_graph.asset_check_keys:
            checks[key.asset_key].append(key.name)
        with long_history.history(home, long_history.definitions(checks, days), days) as instance:
            found = {
                name: [_timed(tick) for _ in range(rounds)]
                for name, tick in _ticks(location, instance)
            }
    title = f"{len(checks)} assets, {sum(map(len, checks.values()))} checks, {days} days"
    table = Table("schedule or sensor", title=title)
    for heading in ("first, s", "median, s"):
        table.add_column(heading, justify="right")
    for name, seconds in sorted(found.items(), key=lambda item: -max(item[1])):
        table.add_row(name, f"{seconds[0]:.2f}", f"{median(seconds):.2f}")
    return table


def _timed(tick: Callable[[], Any]) -> float:
    started = time.perf_counter()
    tick()
    return time.perf_counter() - started


def _ticks(
    location: dg.Definitions, instance: dg.DagsterInstance
) -> Iterator[tuple[str, Callable[[], Any]]]:
    repository = location.get_repository_def()
    for schedule in repository.schedule_defs:
        yield schedule.name, partial(_schedule_tick, schedule, repository, instance)
    for sensor in repository.sensor_defs:
        yield sensor.name, _sensor_tick(sensor, location, instance)


def _schedule_tick(
    schedule: dg.ScheduleDefinition,
    repository: dg.RepositoryDefinition,
    instance: dg.DagsterInstance,
) -> None:
    context = dg.build_schedule_context(
        instance, scheduled_execution_time=datetime.now(UTC), repository_def=repository
    )
    schedule.evaluate_tick(context)


def _sensor_tick(
    sensor: dg.SensorDefinition, location: dg.Definitions, instance: dg.DagsterInstance
) -> Callable[[], None]:
    cursor: list[str | None] = [None]
    required = sensor.required_resource_keys

    def tick() -> None:
        context = dg.build_sensor_context(
            instance=instance,
            cursor=cursor[0],
            repository_def=location.get_repository_def(),
            sensor_name=sensor.name,
            resources={key: (location.resources or {})[key] for key in required},
        )
        cursor[0] = sensor.evaluate_tick(context).cursor

    return tick
