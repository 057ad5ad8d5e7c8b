"""A sensor that ticks by hand."""

from __future__ import annotations

import dagster as dg

from tests.support.platform import Platform
from timetracking_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG


class Sensor:
    """A sensor of a platform, ticking by hand with its own cursor."""

    def __init__(self, platform: Platform, name: str) -> None:
        self._platform = platform
        self._repository = platform.definitions.get_repository_def()
        self._sensor = self._repository.get_sensor_def(name)
        self.cursor: str | None = None
        self.said: str | None = None

    def tick(self) -> list[dg.RunRequest]:
        """The runs that it asks for now; what it reports is reported."""
        required = self._sensor.required_resource_keys
        resources = self._platform.definitions.resources or {}
        context = dg.build_sensor_context(
            instance=self._platform.instance,
            cursor=self.cursor,
            repository_def=self._repository,
            sensor_name=self._sensor.name,
            resources={key: resources[key] for key in required},
        )
        result = self._sensor.evaluate_tick(context)
        self.cursor, self.said = result.cursor, result.skip_message
        for event in result.asset_events or []:
            self._platform.instance.report_runless_asset_event(event)
        return list(result.run_requests or [])

    def ranges(self) -> dict[str, tuple[str | None, ...]]:
        """Assets -> first and last partition, for each run that a tick asks for."""
        ends = (RANGE_START_TAG, RANGE_END_TAG)
        return {
            ",".join(key.to_user_string() for key in request.asset_selection or []): tuple(
                request.tags.get(name) for name in ends
            )
            for request in self.tick()
        }
