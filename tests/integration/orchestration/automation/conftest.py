"""One API of the code location at a time, its specification changed as a test needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.support.code_locations import shared_definitions, shipped_apis
from tests.support.platform import OfApi, Platform
from tests.support.receiver import Receiver, running_receiver
from tests.support.sensors import Sensor
from timetracking_assets.orchestration.assets import build_api_definitions
from timetracking_assets.orchestration.automation.build import build_automation
from timetracking_assets.spec.api import Api


@pytest.fixture(scope="session")
def apis(definitions: dg.Definitions) -> dict[str, Api]:
    """The shipped APIs by name."""
    return shipped_apis()


@pytest.fixture
def of_api(apis: dict[str, Api], instance: dg.DagsterInstance, settings: dict[str, str]) -> OfApi:
    """`of_api(name, resource={...})`: the platform with that API alone, resources changed."""

    def build(name: str, **changes: dict[str, Any]) -> Platform:
        api = apis[name]
        changed = {
            key: api.resources[key].model_copy(update=given) for key, given in changes.items()
        }
        api = replace(api, resources={**api.resources, **changed})
        return Platform(
            dg.Definitions.merge(
                build_api_definitions(api), build_automation(api), shared_definitions()
            ),
            instance,
            Path(settings["DAGSTER_HOME"]),
            Path(settings["TIMETRACKING_WAREHOUSE"]),
        )

    return build


@pytest.fixture
def make() -> Callable[[Platform, str], Sensor]:
    """`make(platform, name)`: one of its sensors."""
    return Sensor


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver, as the environment names it."""
    with running_receiver() as receiver:
        monkeypatch.setenv("TIMETRACKING_NOTIFY_URLS", receiver.url)
        monkeypatch.setenv("TIMETRACKING_UI_URL", "http://dagster.example/")
        yield receiver
