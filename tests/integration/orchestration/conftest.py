"""One API of the code location at a time, its specification changed as a test needs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

import timetracking_assets
from timetracking_assets.component import RestApi
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.automation.build import build_automation
from timetracking_assets.orchestration.resources import WAREHOUSE, WarehouseResource
from timetracking_assets.spec.api import Api

if TYPE_CHECKING:
    from tests.conftest import Platform

OfApi = Callable[..., "Platform"]


@pytest.fixture(scope="session")
def apis(definitions: dg.Definitions) -> dict[str, Api]:
    """The shipped APIs by name."""
    tree = dg.ComponentTree.for_project(Path(timetracking_assets.__file__).parent)
    components = tree.get_all_components(of_type=RestApi)
    return {component.api.name: component.api for component in components}


@pytest.fixture
def of_api(apis: dict[str, Api], instance: dg.DagsterInstance, settings: dict[str, str]) -> OfApi:
    """`of_api(name, resource={...})`: the platform with that API alone, resources changed."""

    def build(name: str, **changes: dict[str, Any]) -> Platform:
        from tests.conftest import Platform

        api = apis[name]
        changed = {key: replace(api.resources[key], **given) for key, given in changes.items()}
        api = replace(api, resources={**api.resources, **changed})
        shared = dg.Definitions(
            resources={WAREHOUSE: WarehouseResource()}, executor=dg.in_process_executor
        )
        definitions = dg.Definitions.merge(
            build_api_definitions(api), build_automation(api), shared
        )
        return Platform(
            definitions,
            instance,
            Path(settings["DAGSTER_HOME"]),
            Path(settings["TIMETRACKING_WAREHOUSE"]),
        )

    return build


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
        ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
        return {
            ",".join(key.to_user_string() for key in request.asset_selection or []): tuple(
                request.tags.get(name) for name in ends
            )
            for request in self.tick()
        }


@pytest.fixture
def make() -> Callable[[Platform, str], Sensor]:
    """`make(platform, name)`: one of its sensors."""
    return Sensor


@dataclass
class Receiver:
    """What has been received, and the status with which it is answered."""

    url: str = ""
    password: str = "hunter22-very-secret"
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if state.status == 200:
                state.received.append(json.loads(body))
            self.send_response(state.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"json://someone:{state.password}@127.0.0.1:{server.server_port}/hook"
    monkeypatch.setenv("TIMETRACKING_NOTIFY_URLS", state.url)
    monkeypatch.setenv("TIMETRACKING_UI_URL", "http://dagster.example/")
    Thread(target=server.serve_forever, daemon=True).start()
    yield state
    server.shutdown()
