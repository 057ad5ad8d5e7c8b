"""No credential's value is written anywhere, whatever happens: every byte is searched for it."""

from __future__ import annotations

import base64
import json
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

if TYPE_CHECKING:
    from tests.conftest import Outcome, Platform
    from timetracking_assets.sandbox.remote_control import RemoteControl

# one for each kind of authentication: asset, its secrets, pairs that basic authentication joins
ASSETS = {
    "time_tracking/time_tracking_data": (["TIME_TRACKING_API_KEY"], None),
    "project_management/customers": (
        ["PROJECT_MANAGEMENT_EMAIL_ADDRESS", "PROJECT_MANAGEMENT_API_KEY"],
        "{PROJECT_MANAGEMENT_EMAIL_ADDRESS}:{PROJECT_MANAGEMENT_API_KEY}",
    ),
    "workspace_time/organizations": (
        ["WORKSPACE_TIME_API_TOKEN"],
        "{WORKSPACE_TIME_API_TOKEN}:api_token",
    ),
    "resource_management/roles": (["RESOURCE_MANAGEMENT_API_TOKEN"], None),
    "time_analytics/tags": (["TIME_ANALYTICS_API_KEY"], None),
}
# characters that differ in a URL, in JSON and in base64
AWKWARD = '+/ä "key'


@pytest.mark.parametrize("asset", ASSETS)
def test_no_trace_of_a_credential(
    hasty_platform: Platform,
    control: RemoteControl,
    settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    asset: str,
) -> None:
    names, pair = ASSETS[asset]
    api = asset.partition("/")[0]
    secrets = {settings[name] for name in names}
    joined = [pair.format(**settings)] if pair else []
    outcomes: list[Outcome] = []

    def load() -> Outcome:
        outcome = hasty_platform.materialize(asset, loud=True)
        outcomes.append(outcome)
        control.clear_faults()
        return outcome

    assert load().green

    # an API that repeats what it was sent, in its own words
    echo = json.dumps({"error": f"no access with {sorted(secrets)}, {joined}"})
    control.place_fault("status", status=401, body=echo, api=api)
    assert not load().succeeded
    control.place_fault("status", status=500, body=echo, api=api)
    assert not load().succeeded
    control.place_fault("body", body=f"<html>{echo}</html>", content_type="text/html", api=api)
    assert not load().succeeded
    control.place_fault("cut", api=api)
    assert not load().succeeded

    elsewhere = f"http://127.0.0.1:{_free_port()}/{asset}?key={quote(min(secrets))}"
    control.place_fault("redirect", headers={"Location": elsewhere}, api=api)
    assert "another host" in load().failures[asset]

    monkeypatch.setenv(f"{api.upper()}_BASE_URL", f"http://127.0.0.1:{_free_port()}")
    assert "nothing answers" in load().failures[asset]

    printed = "".join([*capfd.readouterr(), *(outcome.printed for outcome in outcomes)])
    compute_logs = list(hasty_platform.home.rglob("*.err"))
    assert len(compute_logs) >= len(outcomes)
    _assert_nowhere(secrets, joined, hasty_platform, tmp_path, printed)


def test_no_trace_after_a_time_out(
    hasty_platform: Platform,
    control: RemoteControl,
    settings: dict[str, str],
    tmp_path: Path,
) -> None:
    """The one whose error holds the whole URL, and with it a key in the query."""
    asset = "time_tracking/time_tracking_data"
    control.place_fault("slow", seconds=3, api="time_tracking")
    outcome = hasty_platform.materialize(asset, loud=True)
    assert "in time" in outcome.failures[asset]
    assert len(control.requests()) == 4
    secrets = {settings["TIME_TRACKING_API_KEY"]}
    _assert_nowhere(secrets, [], hasty_platform, tmp_path, outcome.printed)


@pytest.mark.parametrize("asset", ASSETS)
def test_no_trace_of_an_awkward_credential(
    hasty_platform: Platform,
    control: RemoteControl,
    settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    asset: str,
) -> None:
    """A credential that looks different in a URL, in JSON and in base64."""
    names, pair = ASSETS[asset]
    values = {name: f"{name.lower()}{AWKWARD}" for name in names}
    if asset.startswith(("resource_management", "time_analytics")):
        values = {name: value.replace("ä", "") for name, value in values.items()}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    joined = [pair.format(**{**settings, **values})] if pair else []
    assert not hasty_platform.materialize(asset, loud=True).succeeded
    assert control.requests()
    _assert_nowhere(set(values.values()), joined, hasty_platform, tmp_path, "")


def _assert_nowhere(
    secrets: set[str], pairs: list[str], platform: Platform, directory: Path, printed: str
) -> None:
    wanted = {form.encode() for secret in [*secrets, *pairs] for form in _forms(secret)}
    places = dict(_everything(platform, directory))
    places["what was printed"] = printed.encode()
    everything = b"".join(places.values())
    # the search finds what is there
    assert b"RUN_START" in everything or b"STEP_START" in everything
    found = [
        (place, form) for place, content in places.items() for form in wanted if form in content
    ]
    assert found == []


def _forms(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret.encode()).decode().rstrip("=")


def _everything(platform: Platform, directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in directory.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(directory)), path.read_bytes()
    if not platform.warehouse.exists():
        return
    # dlt keeps its state compressed: a search of the file's bytes would not see into it
    tables = platform.sql(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE table_name LIKE '\\_dlt%' "
        "ESCAPE '\\'"
    )
    for schema, table in tables:
        for row in platform.sql(f'SELECT * FROM "{schema}"."{table}"'):
            for value in map(str, row):
                yield f"{schema}.{table}", value.encode()
                with suppress(ValueError, zlib.error):
                    yield f"{schema}.{table}", zlib.decompress(base64.b64decode(value))


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
